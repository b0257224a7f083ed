import { ANNOTATIONS, LABELS } from '../../../../crds/schema/names.ts';
import type { Model } from '../../../../crds/schema/model.ts';
import type { ModelVersion } from '../../../../crds/schema/model-version.ts';
import type { Run } from '../../../kinds/experiment/run-store.ts';
import { nextVersion, versionsOf } from '../../../kinds/model-versions.ts';
import { isAlreadyExists } from '../../../runtime/cluster.ts';
import { identityOf } from '../../route-context.ts';
import { MlflowError } from '../mlflow-error.ts';
import { createObject } from '../object-writes.ts';
import type { Call } from '../object-writes.ts';
import type { KeyValue } from '../run-wire.ts';
import { MODEL_VERSION, belongingsOf, listAll, requireModel } from './registry-objects.ts';
import { registryTags, versionToWire } from './registry-wire.ts';
import { bytesOf, forgetBytes } from './version-bytes.ts';
import type { Bytes } from './version-bytes.ts';
import { highest, nextNumber } from './version-numbers.ts';
import { sourceOf } from './version-source.ts';
import type { Source } from './version-source.ts';

const ATTEMPTS = 20;

export type VersionBody = {
  readonly name?: string;
  readonly version?: string;
  readonly source?: string;
  readonly run_id?: string;
  readonly model_id?: string;
  readonly description?: string;
  readonly tags?: readonly KeyValue[];
};

/**
 * Registers a version as the caller: its integer is the Model's next, its SemVer the next minor one.
 * Two at once get two integers and two SemVers, though not always in the same order.
 */
export const createVersion = async (call: Call, body: VersionBody): Promise<object> => {
  const { context, request } = call;
  if (!body.source) {
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      "Missing value for required parameter 'source'.",
    );
  }
  const model = await requireModel(call, body.name);
  const tags = registryTags(body.tags);
  const { namespace } = model.metadata;
  const action = { verb: 'create', resource: MODEL_VERSION.plural, namespace } as const;
  await context.access.require(identityOf(request), action);
  const source = await sourceOf(call, body.source);
  const all = await belongingsOf(call, model);
  const number = await nextNumber(call, model, highest(all.versions.map((each) => each.number)));
  const object = await created(call, model, { source, number, body, tags });
  return versionToWire(all, { number, object });
};

type Wanted = {
  readonly source: Source;
  readonly number: number;
  readonly body: VersionBody;
  readonly tags: Readonly<Record<string, string>> | undefined;
};

const created = async (call: Call, model: Model, wanted: Wanted): Promise<ModelVersion> => {
  const { namespace, name } = model.metadata;
  for (let attempt = 1; ; attempt++) {
    const version = await freeVersion(call, model);
    const place = { namespace, model: name, version };
    const bytes = await bytesOf(call.context, wanted.source, place, wanted.number);
    try {
      return await createObject<ModelVersion>(call, MODEL_VERSION, {
        metadata: {
          namespace,
          name: `${name}-${version}`,
          labels: { [LABELS.model]: name, [LABELS.mlflowVersion]: String(wanted.number) },
          annotations: {
            [ANNOTATIONS.mlflowSource]: wanted.body.source ?? '',
            ...(wanted.body.description
              ? { [ANNOTATIONS.mlflowDescription]: wanted.body.description }
              : {}),
          },
        },
        spec: specOf(wanted, place.model, version, bytes),
      });
    } catch (error) {
      if (wanted.source.is !== 'elsewhere') {
        await forgetBytes(call.context, place, wanted.number);
      }
      if (!isAlreadyExists(error) || attempt === ATTEMPTS) throw error;
    }
  }
};

/** The next minor version whose object's name is free. */
const freeVersion = async ({ context }: Call, { metadata }: Model): Promise<string> => {
  const { namespace, name } = metadata;
  const all = (await listAll<ModelVersion>(context, MODEL_VERSION, namespace)) ?? [];
  const names = new Set(all.map((each) => each.metadata.name));
  const versions = versionsOf(all, { namespace, name }).map(({ spec }) => spec.version);
  let version = nextVersion(versions, 'minor');
  while (names.has(`${name}-${version}`)) version = nextVersion([...versions, version], 'minor');
  return version;
};

const specOf = (
  { source, body, tags }: Wanted,
  model: string,
  version: string,
  bytes: Bytes,
): object => ({
  modelRef: { name: model },
  version,
  ...bytes,
  ...lineageOf(source, body),
  ...(tags === undefined ? {} : { tags }),
});

const METRIC_NAME = /^[A-Za-z0-9_./: -]{1,250}$/;
const MOST_METRICS = 256;

const lineageOf = (source: Source, { run_id: runId }: VersionBody): object => {
  if (source.is !== 'run') return runId ? { source: { runId } } : {};
  const { run } = source;
  const metrics = metricsOf(run);
  return {
    source: { experimentRef: { name: run.experiment.name }, runId: run.runId },
    ...(metrics.length === 0 ? {} : { metrics }),
  };
};

const metricsOf = ({ metrics }: Run): readonly object[] =>
  metrics
    .filter(({ key, value }) => Number.isFinite(value) && METRIC_NAME.test(key))
    .slice(0, MOST_METRICS)
    .map(({ key, value }) => ({ name: key, value }));
