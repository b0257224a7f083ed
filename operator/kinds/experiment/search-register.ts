import type { Experiment } from '../../../crds/schema/experiment.ts';
import { trainFinally, finalRow, type FinalTraining } from './final-training.ts';
import { evaluateGate } from './gate.ts';
import { namespaceRefusal, registerRun, type Registration } from './registration.ts';
import type { Run } from './run-store.ts';
import type { SearchMeans } from './search-means.ts';
import type { Trial } from './trial-store.ts';

export type BestRegistration = {
  readonly registration?: Registration | undefined;
  /** Absent where none is asked for, or the best trial did not pass the gate. */
  readonly final?: FinalTraining;
};

/** Makes the best trial a version, or what is trained on its parameters, where the spec says so. */
export const registerBest = async (trial: Trial, means: SearchMeans): Promise<BestRegistration> => {
  const { experiment, pass, ports } = means;
  const { register } = experiment.spec;
  if (register === undefined) return {};
  const run = await ports.runs.getRun(trial.runId);
  if (register.retrain !== undefined) return registerFinal(trial, run, means);
  if (run === undefined) return { registration: deleted(trial) };
  const { assignments } = trial;
  return {
    registration: await registerRun({ experiment, register, run, assignments }, pass, ports),
  };
};

const deleted = ({ runId }: Trial): Registration => ({
  state: 'refused',
  reason: 'RegistrationFailed',
  message: `The run of the best trial (${runId}) was deleted, so nothing can be registered.`,
});

const registerFinal = async (
  trial: Trial,
  best: Run | undefined,
  means: SearchMeans,
): Promise<BestRegistration> => {
  const { experiment, pass, ports } = means;
  const begun = await finalRow(means);
  const refused = begun === undefined ? refusalOf(experiment, trial, best) : undefined;
  if (refused !== undefined) return { registration: refused };
  const final = await trainFinally(trial, means);
  if (final.state !== 'finished') return { final };
  const { when, ...register } = experiment.spec.register ?? {};
  const gate = evaluateGate(when, withBest(final.run, best));
  if (!gate.passed) {
    const message = `The final training did not pass: ${gate.message}`;
    return { final, registration: { state: 'refused', reason: gate.reason, message } };
  }
  const { run, row } = final;
  const candidate = {
    ...{ experiment, run, assignments: row.assignments },
    register: register as NonNullable<Experiment['spec']['register']>,
  };
  return { final, registration: await registerRun(candidate, pass, ports) };
};

/** What the best trial itself could not become is not worth a final training. */
const refusalOf = (
  experiment: Experiment,
  trial: Trial,
  best: Run | undefined,
): Registration | undefined => {
  if (best === undefined) return deleted(trial);
  const foreign = namespaceRefusal(experiment);
  if (foreign !== undefined) return foreign;
  const gate = evaluateGate(experiment.spec.register?.when, best.metrics);
  return gate.passed ? undefined : { state: 'refused', reason: gate.reason, message: gate.message };
};

/** Trained on all data, it has none left to be measured with: what it did not log, the best trial did. */
const withBest = (final: Run, best: Run | undefined): Run['metrics'] => [
  ...final.metrics,
  ...(best?.metrics ?? []).filter(({ key }) => !final.metrics.some((each) => each.key === key)),
];
