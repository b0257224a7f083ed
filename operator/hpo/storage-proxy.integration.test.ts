import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CoreV1Api, KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node';

import { TOKEN_AUDIENCE } from '../../crds/schema/names.ts';
import { startSearchService, type SearchService } from './testing/search-service.ts';
import { serviceFolder, servicePython } from './testing/service-python.ts';

const run = promisify(execFile);
const MINUTES = 60_000;
const SECONDS = 1000;
const suffix = randomUUID().slice(0, 8);
const [system, tenant, other] = [`system-${suffix}`, `tenant-${suffix}`, `other-${suffix}`];
const NAME = `storage-proxy-${suffix}`;

const config = new KubeConfig();
let core: CoreV1Api;
let service: SearchService;
let folder: string;

const tokenOf = async (namespace: string, audience?: string): Promise<string> => {
  const { status } = await core.createNamespacedServiceAccountToken({
    namespace,
    name: 'pod',
    body: { spec: { audiences: audience === undefined ? [] : [audience] } },
  });
  return status?.token ?? '';
};

const makeNamespace = async (name: string): Promise<void> => {
  await core.createNamespace({ body: { metadata: { name } } });
  const body = { metadata: { name: 'pod' } };
  await core.createNamespacedServiceAccount({ namespace: name, body });
};

/** As the chart's templates/hpo/token-reviews.yaml. */
const letReviewTokens = async (): Promise<void> => {
  const rbac = config.makeApiClient(RbacAuthorizationV1Api);
  const rule = {
    apiGroups: ['authentication.k8s.io'],
    resources: ['tokenreviews'],
    verbs: ['create'],
  };
  await rbac.createClusterRole({ body: { metadata: { name: NAME }, rules: [rule] } });
  await rbac.createClusterRoleBinding({
    body: {
      metadata: { name: NAME },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME },
      subjects: [{ kind: 'ServiceAccount', name: 'pod', namespace: system }],
    },
  });
};

beforeAll(async () => {
  config.loadFromString(await readFile(process.env['INTEGRATION_KUBECONFIG'] ?? '', 'utf8'));
  core = config.makeApiClient(CoreV1Api);
  for (const name of [system, tenant, other]) await makeNamespace(name);
  await letReviewTokens();
  folder = await mkdtemp(join(tmpdir(), 'storage-proxy-'));
  const cluster = config.getCurrentCluster();
  await writeFile(join(folder, 'token'), await tokenOf(system));
  await writeFile(join(folder, 'ca.crt'), Buffer.from(cluster?.caData ?? '', 'base64'));
  const databaseUrl = process.env['INTEGRATION_DATABASE_URL'] ?? '';
  service = await startSearchService(databaseUrl, `hpo_${suffix}`, {
    HPO_PROXY_PORT: '0',
    HPO_KUBERNETES_URL: cluster?.server ?? '',
    HPO_SERVICE_ACCOUNT_DIRECTORY: folder,
  });
}, 10 * MINUTES);
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

const SCRIPT = `
import sys, warnings
warnings.simplefilter("ignore")
import grpc, optuna
from mlops_optuna import MlopsStorage
optuna.logging.set_verbosity(optuna.logging.ERROR)
port, token, name = sys.argv[1:]
storage = MlopsStorage(host="localhost", port=int(port), token=token)
try:
    study = optuna.create_study(study_name=name, storage=storage, load_if_exists=True)
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=3)
    print(len(study.trials), optuna.get_all_study_names(storage))
except grpc.RpcError as error:
    print(error.code().name)
`;

/** What a user's script prints, run with that token. */
const script = async (token: string, study: string): Promise<string> => {
  const file = join(folder, randomUUID());
  await writeFile(file, token);
  const args = ['-c', SCRIPT, String(service.proxyPort), file, study];
  const { stdout } = await run(await servicePython(), args, {
    timeout: 60 * SECONDS,
    env: { PYTHONPATH: join(serviceFolder, 'client'), PYTHONDONTWRITEBYTECODE: '1' },
  });
  return stdout.trim();
};

describe('the storage proxy and tokens of a real API server', () => {
  test(
    'lets a pod search a study of its namespace, again too, and no other namespace',
    async () => {
      const token = await tokenOf(tenant, TOKEN_AUDIENCE);
      expect(await script(token, `${tenant}/mine`)).toBe(`3 ['${tenant}/mine']`);
      expect(await script(token, `${tenant}/mine`)).toBe(`6 ['${tenant}/mine']`);
      const theirs = await tokenOf(other, TOKEN_AUDIENCE);
      expect(await script(theirs, `${tenant}/mine`)).toBe('PERMISSION_DENIED');
      expect(await script(theirs, `${other}/mine`)).toBe(`3 ['${other}/mine']`);
    },
    3 * MINUTES,
  );

  test(
    'takes no token that was made for the API server',
    async () => {
      expect(await script(await tokenOf(tenant), `${tenant}/mine`)).toBe('UNAUTHENTICATED');
      expect(await script('a.b.c', `${tenant}/mine`)).toBe('UNAUTHENTICATED');
    },
    MINUTES,
  );
});
