import type { ColumnType, Generated, Selectable } from 'kysely';
import type { LogCursor } from './metric-lines.ts';
import type { RunTables } from './run-tables.ts';
import type { Assignment } from './search-engine.ts';
import type { Trial, TrialPhase } from './trial-store.ts';

/** Written as JSON text, read as the value. */
type Json<T> = ColumnType<T, string, string>;

/** The table of migration 0008. */
export type TrialTables = RunTables & {
  readonly trials: {
    readonly run_id: string;
    readonly experiment_uid: string;
    readonly number: number;
    readonly phase: TrialPhase;
    readonly told: boolean;
    readonly attempt: Generated<number>;
    readonly assignments: Json<readonly Assignment[]>;
    readonly value: number | null;
    readonly objectives: Generated<number[]>;
    readonly on_front: Generated<boolean>;
    readonly started: Generated<number>;
    readonly reported: Generated<number>;
    readonly log_cursor: ColumnType<LogCursor | null, string | null, string | null>;
    readonly reason: string | null;
    readonly message: string | null;
  };
};

export type TrialRow = Selectable<TrialTables['trials']> &
  Pick<Selectable<RunTables['runs']>, 'status' | 'start_time' | 'end_time' | 'image'>;

export const trialOf = (row: TrialRow): Trial => ({
  runId: row.run_id,
  number: row.number,
  phase: row.phase,
  told: row.told,
  attempt: row.attempt,
  assignments: row.assignments,
  values: row.objectives,
  started: row.started,
  reported: row.reported,
  ...(row.log_cursor === null ? {} : { log: row.log_cursor }),
  ...(row.reason === null ? {} : { reason: row.reason }),
  ...(row.message === null ? {} : { message: row.message }),
  runStatus: row.status,
  ...(row.start_time === null ? {} : { startTime: Number(row.start_time) }),
  ...(row.end_time === null ? {} : { endTime: Number(row.end_time) }),
  ...(row.image === null ? {} : { image: row.image }),
});
