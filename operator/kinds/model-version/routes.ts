import type { FastifyInstance } from 'fastify';
import { modelVersion } from '../../../crds/schema/model-version.ts';
import type { ModelVersion } from '../../../crds/schema/model-version.ts';
import type { ArtifactGrant } from '../../../serving-runtime/protocol/artifact-grant.ts';
import { Problem } from '../../api/problem.ts';
import { identityOf } from '../../api/route-context.ts';
import type { RouteContext } from '../../api/route-context.ts';
import { OBJECT_PARAMS } from '../../api/schemas.ts';
import type { Identity } from '../../api/identity.ts';
import { parseStorageUri } from '../../artifacts/locations.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';
import { labelValue } from '../names-of-children.ts';

const MODEL_VERSION = ownType(modelVersion);

type Answer = ArtifactGrant & {
  /** RFC 3339, UTC. */
  readonly expiresAt: string;
};

const ANSWER = {
  type: 'object',
  required: ['url', 'digest', 'sizeBytes', 'expiresAt'],
  properties: {
    url: {
      type: 'string',
      format: 'uri',
      description: 'Reads the bytes without credentials; a secret.',
    },
    digest: { type: 'string', description: 'SHA-256 the bytes must have.' },
    sizeBytes: { type: 'integer' },
    expiresAt: { type: 'string', format: 'date-time' },
  },
} as const;

/** The artifact endpoint: short-lived URLs instead of storage credentials for those who serve. */
export const modelVersionRoutes = (app: FastifyInstance, context: RouteContext): void => {
  app.get<{ Params: ObjectKey; Querystring: { readonly redirect?: boolean } }>(
    '/api/v1/namespaces/:namespace/modelversions/:name/artifact',
    {
      schema: {
        operationId: 'getModelVersionArtifact',
        summary: 'Where the bytes of a version can be read for a short while',
        tags: ['modelversions'],
        params: OBJECT_PARAMS,
        querystring: {
          type: 'object',
          properties: {
            redirect: { type: 'boolean', description: 'Answer 307 to the URL instead.' },
          },
        },
        response: { 200: ANSWER, 307: { type: 'null' } },
      },
    },
    async (request, reply) => {
      await requireArtifact(context, identityOf(request), request.params);
      const answer = await grant(context, request.params);
      if (request.query.redirect !== true) return answer;
      return reply.redirect(answer.url, 307);
    },
  );
};

/** A pod that serves this version may read it; everybody else needs a role that says so. */
const requireArtifact = async (
  { access, podGrants }: RouteContext,
  identity: Identity,
  { namespace, name }: ObjectKey,
): Promise<void> => {
  const grants = await podGrants(identity);
  if (grants?.namespace === namespace && grants.modelVersion === labelValue(name)) return;
  await access.require(identity, {
    verb: 'get',
    resource: 'modelversions',
    subresource: 'artifact',
    namespace,
    name,
  });
};

const grant = async (context: RouteContext, key: ObjectKey): Promise<Answer> => {
  const { artifacts, cluster, config, now } = context;
  const version = await cluster.get<ModelVersion>(MODEL_VERSION, key);
  if (version === undefined) {
    throw new Problem(
      'NotFound',
      `There is no ModelVersion "${key.name}" in namespace ${key.namespace}; ` +
        `"kubectl get modelversions -n ${key.namespace}" shows those there are.`,
    );
  }
  const objectKey = bundledFile(version, config.bundledBucket);
  const digest = version.spec.verification?.digest ?? version.status?.digest;
  if (digest === undefined) {
    throw new Problem(
      'NotReady',
      `The bytes of ModelVersion "${key.name}" have not been read yet, so there is no digest to hold ` +
        'them to. Wait for its condition ArtifactVerified, or state spec.verification.digest.',
    );
  }
  const stat = await artifacts.stat(objectKey);
  if (stat === undefined) {
    throw new Problem(
      'NotFound',
      `Nothing is stored at ${version.spec.storageUri}, which ModelVersion "${key.name}" names; ` +
        'upload the file there, or register a version whose storageUri is right.',
    );
  }
  return {
    url: await artifacts.presign(objectKey, config.presignSeconds),
    digest,
    sizeBytes: stat.sizeBytes,
    expiresAt: new Date(now() + config.presignSeconds * 1000).toISOString(),
  };
};

/** The key of the version's file in the bundled store, in the version's own namespace. */
const bundledFile = ({ metadata, spec }: ModelVersion, bucket: string): string => {
  const { namespace, name } = metadata;
  if (spec.secretRef !== undefined)
    throw notBundled(name, 'its storage has credentials of its own');
  const location = parseStorageUri(spec.storageUri, { namespace, bucket, ownCredentials: false });
  if (location.scheme === 'refused') throw new Problem('UriNotAllowed', location.message);
  if (location.scheme !== 's3') throw notBundled(name, `it is at ${location.scheme}://`);
  if (!location.folder) return location.key;
  throw new Problem(
    'NotBundled',
    `ModelVersion "${name}" is a folder, which no single URL can give; name one file in storageUri.`,
  );
};

const notBundled = (name: string, why: string): Problem =>
  new Problem(
    'NotBundled',
    `ModelVersion "${name}" is not in the bundled store (${why}); a pod of its namespace reads it from there itself.`,
  );
