import { createHash } from 'node:crypto';
import { INPUT_TAG } from '../../kinds/experiment/artifact-record.ts';
import { INPUT_PIECE, recordedInputs } from '../../kinds/experiment/input-record.ts';
import type { Run } from '../../kinds/experiment/run-store.ts';
import { MlflowError } from './mlflow-error.ts';

type KeyValue = { readonly key: string; readonly value?: string };

/** A dataset as clients log it: what it is, and in which role the run read it. */
export type DatasetInput = {
  readonly tags?: readonly KeyValue[];
  readonly dataset: {
    readonly name: string;
    readonly digest: string;
    readonly source_type?: string;
    readonly source?: string;
    readonly schema?: string;
    readonly profile?: string;
  };
};

export type ModelInput = { readonly model_id: string };

export type RunInput = { readonly dataset: DatasetInput } | { readonly model: ModelInput };

const MAX_INPUT = 400_000;

/** The record of one input as tags of the run, each a piece of its JSON. The same input, the same tags. */
export const inputTags = (input: RunInput): Readonly<Record<string, string>> => {
  const text = JSON.stringify(input);
  if (text.length > MAX_INPUT) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `An input of the run takes ${text.length} characters; at most ${MAX_INPUT} are kept. Log it with a shorter schema or profile.`,
    );
  }
  const key = INPUT_TAG + keyOf(input);
  const pieces: Record<string, string> = {};
  for (let at = 0; at * INPUT_PIECE < text.length; at++) {
    pieces[`${key}.${String(at).padStart(3, '0')}`] = text.slice(
      at * INPUT_PIECE,
      (at + 1) * INPUT_PIECE,
    );
  }
  return pieces;
};

const keyOf = (input: RunInput): string => {
  const identity =
    'model' in input
      ? ['model', input.model.model_id]
      : ['dataset', input.dataset.dataset.name, input.dataset.dataset.digest];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32);
};

/** What the run read, put together from its tags. */
export const inputsOf = ({ tags }: Pick<Run, 'tags'>): readonly RunInput[] =>
  recordedInputs(tags).map((text) => JSON.parse(text) as RunInput);

export const inputsToWire = (run: Pick<Run, 'tags'>): object => {
  const inputs = inputsOf(run);
  return {
    dataset_inputs: inputs.flatMap((each) => ('dataset' in each ? [each.dataset] : [])),
    model_inputs: inputs.flatMap((each) => ('model' in each ? [each.model] : [])),
  };
};

/** What `dataset.name`, `dataset.digest` and `dataset.context` of a filter see. */
export const searchableDatasets = (
  run: Pick<Run, 'tags'>,
): Readonly<Record<string, readonly string[]>> => {
  const datasets = inputsOf(run).flatMap((each) => ('dataset' in each ? [each.dataset] : []));
  return {
    name: datasets.map(({ dataset }) => dataset.name),
    digest: datasets.map(({ dataset }) => dataset.digest),
    context: datasets.flatMap(({ tags = [] }) =>
      tags.filter(({ key }) => key === 'mlflow.data.context').map(({ value = '' }) => value),
    ),
  };
};
