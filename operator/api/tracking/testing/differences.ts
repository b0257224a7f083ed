import type { Answer } from './play.ts';

type Difference = { readonly why: string; readonly ours: Partial<Answer> };

const RUNS_PARAMS = {
  why: 'A logged model shows the params of its run beside its own: the client sends them again, here they are kept once.',
  ours: { status: 200 },
};

const PENDING = {
  why: 'A version is READY once the operator has read its bytes; clients wait for that by themselves.',
  ours: { status: 200, body: { model_version: { status: 'PENDING_REGISTRATION' } } },
};

const refused = (status: number, code: string, why: string): Difference => ({
  why,
  ours: { status, body: { error_code: code } },
});

/** Answers that differ from those of MLflow's own server, and why they do. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'experiments: rename it to a taken name': refused(
    400,
    'RESOURCE_ALREADY_EXISTS',
    'Theirs lets the error of its database through.',
  ),
  'runs: history of a missing run': refused(
    404,
    'RESOURCE_DOES_NOT_EXIST',
    'Whether a run may be seen is asked before its metrics are.',
  ),
  'runs: end it in a strange way': refused(
    400,
    'INVALID_PARAMETER_VALUE',
    'Theirs ignores a status it does not know.',
  ),
  'logged models: announce a logged model': RUNS_PARAMS,
  'logged models: finish it': RUNS_PARAMS,
  'logged models: get it': RUNS_PARAMS,
  'logged models: search logged models': RUNS_PARAMS,
  'registry: create a version': PENDING,
  'registry: create the next': PENDING,
  'registry: create a version of nothing': refused(
    404,
    'RESOURCE_DOES_NOT_EXIST',
    'Theirs looks at the source first and wants model_id beside it.',
  ),
  'registry: archive into Archived': refused(
    400,
    'INVALID_PARAMETER_VALUE',
    'Theirs fails while it makes the message.',
  ),
};
