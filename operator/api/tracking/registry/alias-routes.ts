import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANNOTATIONS } from '../../../../crds/schema/names.ts';
import { keyOf } from '../../../runtime/resource-type.ts';
import type { RouteContext } from '../../route-context.ts';
import { MlflowError } from '../mlflow-error.ts';
import { changeObject, set, unset } from '../object-writes.ts';
import type { Call } from '../object-writes.ts';
import { aliasNamed, checkedAlias, dropAlias, findAlias, moveAlias } from './aliases.ts';
import { MODEL_VERSION, registered, requireVersion } from './registry-objects.ts';
import type { OneVersion } from './registry-objects.ts';
import { ALIAS_BODY, STAGES_BODY, VERSION_BODY } from './registry-schemas.ts';
import { latestVersions, versionToWire } from './registry-wire.ts';
import { STAGES, STAGE_ALIASES, parseStage, stageOf } from './stages.ts';
import type { Stage } from './stages.ts';
import type { NumberedVersion } from './version-numbers.ts';
import { operationsOf } from '../operation.ts';

const MODELS = '/api/2.0/mlflow/registered-models';

type AliasBody = { readonly name?: string; readonly alias?: string; readonly version?: string };

const documented = operationsOf('mlflow registry');

/** Aliases are ModelAliases; a stage is an alias of its name. */
export const aliasRoutes = (app: FastifyInstance, context: RouteContext): void => {
  const call = (request: FastifyRequest): Call => ({ context, request });
  app.post<{ Body: AliasBody }>(
    `${MODELS}/alias`,
    {
      schema: {
        ...documented('setRegisteredModelAlias', 'Let an alias name a version'),
        body: ALIAS_BODY,
      },
    },
    async (request) => {
      const { name, alias, version } = request.body;
      const word = checkedAlias(alias);
      const one = await requireVersion(call(request), name, version);
      await moveAlias(call(request), one, { alias: word }, one.found);
      return {};
    },
  );
  app.delete<{ Body: AliasBody }>(
    `${MODELS}/alias`,
    {
      schema: { ...documented('deleteRegisteredModelAlias', 'Delete an alias'), body: ALIAS_BODY },
    },
    async (request) => {
      const word = checkedAlias(request.body.alias);
      const all = await registered(call(request), request.body.name);
      await dropAlias(call(request), findAlias(all, word));
      return {};
    },
  );
  app.get<{ Querystring: AliasBody }>(
    `${MODELS}/alias`,
    {
      schema: {
        ...documented('getModelVersionByAlias', 'The version an alias names'),
        querystring: ALIAS_BODY,
      },
    },
    async (request) => {
      const word = checkedAlias(request.query.alias);
      const all = await registered(call(request), request.query.name);
      return { model_version: versionToWire(all, aliasNamed(all, word)) };
    },
  );
  stageRoutes(app, call);
};

type StageBody = AliasBody & {
  readonly stage?: string;
  readonly archive_existing_versions?: boolean | string;
};
type LatestBody = { readonly name?: string; readonly stages?: readonly string[] | string };

const stageRoutes = (app: FastifyInstance, call: (request: FastifyRequest) => Call): void => {
  app.post<{ Body: StageBody }>(
    '/api/2.0/mlflow/model-versions/transition-stage',
    {
      schema: {
        ...documented('transitionModelVersionStage', 'Move the alias of a stage'),
        body: VERSION_BODY,
      },
    },
    async (request) => {
      const { body } = request;
      if (!body.stage) {
        throw new MlflowError(
          'INVALID_PARAMETER_VALUE',
          "Missing value for required parameter 'stage'.",
        );
      }
      const stage = parseStage(body.stage);
      const archive = String(body.archive_existing_versions ?? false) === 'true';
      if (archive && STAGE_ALIASES[stage] === undefined) {
        throw new MlflowError(
          'INVALID_PARAMETER_VALUE',
          "Model version transition cannot archive existing model versions because the stage is not 'Staging' or 'Production'.",
        );
      }
      const one = await requireVersion(call(request), body.name, body.version);
      await transition(call(request), one, stage, archive);
      const now = await requireVersion(call(request), body.name, body.version);
      return { model_version: versionToWire(now, now.found) };
    },
  );
  const latest = async (request: FastifyRequest, { name, stages }: LatestBody): Promise<object> => {
    const wanted = (typeof stages === 'string' ? [stages] : (stages ?? [])).map(parseStage);
    const all = await registered(call(request), name);
    const found = latestVersions(all, wanted.length === 0 ? STAGES : wanted);
    return { model_versions: found.map((each) => versionToWire(all, each)) };
  };
  // Clients post; older ones get.
  app.post<{ Body: LatestBody }>(
    `${MODELS}/get-latest-versions`,
    {
      schema: {
        ...documented('getLatestVersions', 'The latest version of each stage'),
        body: STAGES_BODY,
      },
    },
    async (request) => latest(request, request.body),
  );
  app.get<{ Querystring: LatestBody }>(
    `${MODELS}/get-latest-versions`,
    {
      schema: {
        ...documented('getLatestVersionsByQuery', 'The latest version of each stage'),
        querystring: STAGES_BODY,
      },
    },
    async (request) => latest(request, request.query),
  );
};

/** A version has one stage: what it had before goes, and whoever had the new one loses it. */
const transition = async (
  call: Call,
  one: OneVersion,
  stage: Stage,
  archive: boolean,
): Promise<void> => {
  const target = STAGE_ALIASES[stage];
  const holders = one.versions.filter(
    (each) => each.number !== one.found.number && stageOf(one, each) === stage,
  );
  for (const word of Object.values(STAGE_ALIASES)) {
    const alias = word === target ? undefined : findAlias(one, word);
    if (alias !== undefined && alias.spec.version === one.found.object.spec.version) {
      await dropAlias(call, alias);
    }
  }
  await markArchived(call, one.found, stage === 'Archived');
  if (target !== undefined) {
    const annotations = { [ANNOTATIONS.mlflowStage]: stage };
    await moveAlias(call, one, { alias: target, annotations }, one.found);
  }
  if (archive) for (const each of holders) await markArchived(call, each, true);
};

const markArchived = async (
  call: Call,
  { object }: NumberedVersion,
  archived: boolean,
): Promise<void> => {
  await changeObject(call, MODEL_VERSION, keyOf(object), ({ metadata: { annotations } }) => {
    const is = annotations?.[ANNOTATIONS.mlflowStage] !== undefined;
    if (is === archived) return [];
    return archived
      ? [set('/metadata/annotations', ANNOTATIONS.mlflowStage, 'Archived')]
      : [unset('/metadata/annotations', ANNOTATIONS.mlflowStage)];
  });
};
