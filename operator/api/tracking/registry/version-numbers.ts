import { ANNOTATIONS, LABELS } from '../../../../crds/schema/names.ts';
import { modelVersion } from '../../../../crds/schema/model-version.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import { model as modelKind } from '../../../../crds/schema/model.ts';
import type { Model } from '../../../../crds/schema/model.ts';
import { ownType } from '../../../runtime/own-type.ts';
import { keyOf } from '../../../runtime/resource-type.ts';
import { patchObject, set } from '../object-writes.ts';
import type { Call } from '../object-writes.ts';

const MODEL = ownType(modelKind);
const MODEL_VERSION = ownType(modelVersion);

/** A version with the integer that MLflow clients know it by. */
export type NumberedVersion = { readonly number: number; readonly object: ModelVersion };

/**
 * The versions by number. The number is a label of the version, given once: by whoever registers it
 * through MLflow's protocol, else when a client first asks, in the order they were made.
 */
export const numbered = async (
  call: Call,
  model: Model,
  versions: readonly ModelVersion[],
): Promise<readonly NumberedVersion[]> => {
  const known = new Map<number, ModelVersion>();
  const without: ModelVersion[] = [];
  for (const each of versions.toSorted(byAge)) {
    const number = numberOf(each);
    // A copied manifest brings its original's label.
    if (number === undefined || known.has(number)) without.push(each);
    else known.set(number, each);
  }
  for (const each of without) {
    const number = await nextNumber(call, model, highest(known.keys()));
    const old = each.metadata.labels?.[LABELS.mlflowVersion];
    const labelled = await patchObject<ModelVersion>(
      call,
      MODEL_VERSION,
      keyOf(each),
      ({ metadata: { labels } }) =>
        labels?.[LABELS.mlflowVersion] === old
          ? [set('/metadata/labels', LABELS.mlflowVersion, String(number))]
          : [],
    );
    known.set(numberOf(labelled) ?? number, labelled);
  }
  return [...known]
    .map(([number, object]) => ({ number, object }))
    .toSorted((a, b) => a.number - b.number);
};

/**
 * A number that no version of the Model has had: the Model remembers the last one, so that it is
 * never given again, and two who ask at once get two. `atLeast` repairs a Model that lost it.
 */
export const nextNumber = async (call: Call, model: Model, atLeast: number): Promise<number> => {
  let number = 0;
  await patchObject(call, MODEL, keyOf(model), ({ metadata: { annotations } }) => {
    const last = parsed(annotations?.[ANNOTATIONS.mlflowLastVersion]) ?? 0;
    number = Math.max(last, atLeast) + 1;
    return [set('/metadata/annotations', ANNOTATIONS.mlflowLastVersion, String(number))];
  });
  return number;
};

export const highest = (numbers: Iterable<number>): number => Math.max(0, ...numbers);

const numberOf = ({ metadata }: ModelVersion): number | undefined =>
  parsed(metadata.labels?.[LABELS.mlflowVersion]);

const parsed = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;

const byAge = (a: ModelVersion, b: ModelVersion): number =>
  text(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
  text(a.metadata.name, b.metadata.name);

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
