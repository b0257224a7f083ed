import { PHASES, type PhaseName, type PhaseResult, type RoundResult } from './rounds.ts';

/** What this runtime promises against the peer, and whether it held. */
export type Goal = { readonly text: string; readonly measured: string; readonly met: boolean };

const MOST_TIME = 1.1;
const MOST_CPU = 2;
const MOST_IDLE_CPU_PERCENT = 0.5;

/** One phase of one contestant, as the mean of its rounds. */
export const meanOf = (
  rounds: readonly RoundResult[],
  contestant: RoundResult['contestant'],
  phase: PhaseName,
): PhaseResult => {
  const results = rounds
    .filter((each) => each.contestant === contestant)
    .map(({ phases }) => phases[phase]);
  const [first] = results;
  if (first === undefined) throw new Error(`${contestant} has no round with ${phase}`);
  const mean = (value: (result: PhaseResult) => number): number =>
    results.reduce((sum, result) => sum + value(result), 0) / results.length;
  return {
    seconds: mean(({ seconds }) => seconds),
    left: Math.max(...results.map(({ left }) => left)),
    p50: mean(({ p50 }) => p50),
    p99: mean(({ p99 }) => p99),
    requests: mean(({ requests }) => requests),
    cpuMs: mean(({ cpuMs }) => cpuMs),
    peakMib: Math.max(...results.map(({ peakMib }) => peakMib)),
    calls: first.calls,
  };
};

/** The goals for one number of objects; memory is judged at the largest. */
export const goalsOf = (rounds: readonly RoundResult[], largest: boolean): readonly Goal[] => {
  const [{ objects } = { objects: 0 }] = rounds;
  const goals = PHASES.flatMap((phase) => {
    const ours = meanOf(rounds, 'ours', phase);
    const go = meanOf(rounds, 'go', phase);
    const label = `${objects} ${phase}`;
    return [
      atMost(`${label}: time`, ours.seconds / go.seconds, MOST_TIME),
      atMost(`${label}: CPU`, ours.cpuMs / go.cpuMs, MOST_CPU),
      atMost(`${label}: requests`, ours.requests / go.requests, 1),
      none(`${label}: objects not done`, ours.left),
    ];
  });
  const perLife = (contestant: RoundResult['contestant']): number =>
    PHASES.reduce((sum, phase) => sum + meanOf(rounds, contestant, phase).requests, 0) / objects;
  return [
    ...goals,
    fewer(`${objects}: requests of a whole life`, perLife('ours'), perLife('go')),
    ...(largest ? memoryGoals(rounds, objects) : []),
    ...idleGoals(rounds),
  ];
};

const memoryGoals = (rounds: readonly RoundResult[], objects: number): readonly Goal[] => {
  const peak = (contestant: RoundResult['contestant']): number =>
    Math.max(...PHASES.map((phase) => meanOf(rounds, contestant, phase).peakMib));
  return [atMost(`${objects}: peak memory`, peak('ours') / peak('go'), 1)];
};

const idleGoals = (rounds: readonly RoundResult[]): readonly Goal[] =>
  rounds.flatMap(({ contestant, idle, objects }) =>
    contestant === 'ours' && idle !== undefined
      ? [
          {
            text: `${objects} idle: CPU under ${MOST_IDLE_CPU_PERCENT} %`,
            measured: `${idle.cpuPercent.toFixed(2)} %`,
            met: idle.cpuPercent < MOST_IDLE_CPU_PERCENT,
          },
          none(`${objects} idle: writes in ${idle.seconds} s`, idle.writes),
        ]
      : [],
  );

const atMost = (what: string, ratio: number, most: number): Goal => ({
  text: `${what} at most ${most} × the peer's`,
  measured: `${ratio.toFixed(2)} ×`,
  met: ratio <= most,
});

const fewer = (what: string, ours: number, theirs: number): Goal => ({
  text: `${what} per object fewer than the peer's`,
  measured: `${ours.toFixed(2)} against ${theirs.toFixed(2)}`,
  met: ours < theirs,
});

const none = (what: string, count: number): Goal => ({
  text: `${what}: none`,
  measured: String(count),
  met: count === 0,
});
