import type { Experiment } from '../../../crds/schema/experiment.ts';
import type { Pass } from '../../runtime/reconciler.ts';
import type { RunPorts } from '../ports.ts';
import { registerRun, type Registration } from './registration.ts';
import type { Trial } from './trial-store.ts';

/** Makes the best trial a version, where the spec asks for one. */
export const registerBest = async (
  experiment: Experiment,
  trial: Trial,
  { pass, ports }: { readonly pass: Pass; readonly ports: RunPorts },
): Promise<Registration | undefined> => {
  const { register } = experiment.spec;
  if (register === undefined) return undefined;
  const run = await ports.runs.getRun(trial.runId);
  if (run === undefined) {
    return {
      state: 'refused',
      reason: 'RegistrationFailed',
      message: `The run of the best trial (${trial.runId}) was deleted, so nothing can be registered.`,
    };
  }
  return registerRun({ experiment, register, run, assignments: trial.assignments }, pass, ports);
};
