import { beforeAll, describe, expect, test } from '@jest/globals';

import { SETTINGS } from '../operator/config-settings.ts';
import { loadConfig } from '../operator/config.ts';
import { chart, helm, render, type Rendered } from './render.ts';

type Container = {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly resources?: { readonly requests?: unknown; readonly limits?: unknown };
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly { readonly mountPath: string }[];
};
type PodSpec = {
  readonly containers: readonly Container[];
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly enableServiceLinks?: boolean;
  readonly hostNetwork?: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
};

const podOf = (object: Rendered): PodSpec | undefined => {
  if (object.kind === 'Pod') return object.spec as PodSpec;
  return (object.spec?.['template'] as { spec?: PodSpec } | undefined)?.spec;
};
const podsOf = (objects: readonly Rendered[]): readonly [string, PodSpec][] =>
  objects.flatMap((object) => {
    const pod = podOf(object);
    return pod === undefined ? [] : [[`${object.kind}/${object.metadata.name}`, pod]];
  });
const find = (objects: readonly Rendered[], kind: string, name: string): Rendered => {
  const found = objects.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
  return found;
};
const operatorOf = (objects: readonly Rendered[]): Container => {
  const container = podOf(find(objects, 'Deployment', 'mlops-operator'))?.containers[0];
  if (container === undefined) throw new Error('The operator has no container');
  return container;
};
const valueOf = (container: Container, name: string): string | undefined =>
  container.env?.find((each) => each.name === name)?.value;

/** What `--set` needs for services of the user's own. */
const external = [
  'postgresql.enabled=false',
  'externalDatabase.host=db.example.com',
  'externalDatabase.existingSecret=db',
  's3.enabled=false',
  'externalS3.endpoint=https://s3.example.com',
  'externalS3.existingSecret=keys',
];

describe('the chart', () => {
  let objects: readonly Rendered[];
  let pods: readonly [string, PodSpec][];
  beforeAll(async () => {
    objects = await render();
    pods = podsOf(objects);
    // On a fresh machine helm is built first.
  }, 600_000);

  test('is accepted by helm lint', async () => {
    expect(await helm(['lint', '--strict', chart])).toContain('0 chart(s) failed');
  });

  test('has the pods it should have', () => {
    expect(pods.map(([name]) => name).sort()).toEqual([
      'Deployment/mlops-operator',
      'Deployment/mlops-operator-hpo',
      'Job/mlops-operator-credentials',
      'Pod/mlops-operator-test',
      'StatefulSet/mlops-operator-postgresql',
      'StatefulSet/mlops-operator-s3',
    ]);
  });

  test('lets the operator ask serving pods of every namespace for their counters', () => {
    const { spec } = find(objects, 'NetworkPolicy', 'mlops-operator');
    expect(spec?.['egress']).toContainEqual({
      to: [
        {
          namespaceSelector: {},
          podSelector: {
            matchExpressions: [{ key: 'mlops.pynomaly.io/deployment', operator: 'Exists' }],
          },
        },
      ],
      ports: [{ protocol: 'TCP', port: 8080 }],
    });
  });

  test('every pod is restricted, with a read-only root and a /tmp of its own', () => {
    for (const [name, pod] of pods) {
      expect([name, pod.hostNetwork]).toEqual([name, undefined]);
      expect([name, pod.enableServiceLinks]).toEqual([name, false]);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const volume of pod.volumes ?? []) expect(volume['hostPath']).toBeUndefined();
      for (const container of pod.containers) {
        expect([name, container.securityContext]).toEqual([
          name,
          {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        ]);
        expect(container.volumeMounts?.map(({ mountPath }) => mountPath)).toContain('/tmp');
        expect(container.resources).toMatchObject({
          requests: expect.anything(),
          limits: expect.anything(),
        });
      }
    }
  });

  test('no role of the operator reaches Secrets, and none has wildcards', () => {
    const roles = objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
    const mayReachSecrets = roles.filter(({ rules = [] }) =>
      rules.some(({ resources }) => resources.includes('secrets')),
    );
    expect(
      mayReachSecrets.map(({ kind, metadata, rules }) => [kind, metadata.name, rules]),
    ).toEqual([
      [
        'Role',
        'mlops-operator-credentials',
        [{ apiGroups: [''], resources: ['secrets'], verbs: ['create'] }],
      ],
    ]);
    expect(JSON.stringify(roles)).not.toContain('"*"');
    expect(JSON.stringify(roles)).not.toContain('impersonate');
  });

  test('with watched namespaces, the operator writes nothing outside them', async () => {
    const narrow = await render(['watchNamespaces={team-a,team-b}']);
    const verbs = find(narrow, 'ClusterRole', 'mlops-operator').rules?.flatMap(
      ({ resources, verbs }) => resources.map((resource) => `${verbs.join('+')} ${resource}`),
    );
    expect(verbs).toEqual([
      'get+list namespaces',
      'create tokenreviews',
      'create subjectaccessreviews',
    ]);
    const tenants = narrow.filter(
      ({ kind, metadata }) => kind === 'Role' && metadata.name === 'mlops-operator-tenant',
    );
    expect(tenants.map(({ metadata }) => metadata.namespace)).toEqual(['team-a', 'team-b']);
    expect(valueOf(operatorOf(narrow), 'MLOPS_WATCH_NAMESPACES')).toBe('team-a,team-b');
  });

  test.each([
    ['bundled services', []],
    ['services of the user', external],
    ['a database URL in a Secret', [...external, 'externalDatabase.urlKey=url']],
  ])('sets the operator what it understands: %s', async (_, set) => {
    const container = operatorOf(await render(set));
    const env = Object.fromEntries(
      (container.env ?? []).map(({ name, value }) => [name, value ?? 'from-the-pod']),
    );
    expect(Object.keys(env).filter((name) => !(name in SETTINGS))).toEqual([]);
    const config = loadConfig(env);
    expect(config.maxArtifactBytes).toBe(1024 ** 3);
    expect(config.childResources.requests).toEqual({ cpu: '100m', memory: '256Mi' });
    const mounts = container.volumeMounts?.map(({ mountPath }) => mountPath) ?? [];
    const secretFiles = Object.entries(env).filter(([name]) => name.endsWith('_FILE'));
    expect(secretFiles.length).toBeGreaterThanOrEqual(3);
    for (const [, path] of secretFiles) {
      expect(mounts).toContain(path.slice(0, path.lastIndexOf('/')));
    }
  });

  test('brings no Secret and no Job for services that bring their own', async () => {
    const names = podsOf(await render(external)).map(([name]) => name);
    expect(names.toSorted()).toEqual([
      'Deployment/mlops-operator',
      'Deployment/mlops-operator-hpo',
      'Pod/mlops-operator-test',
    ]);
    expect((await render()).filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  test('only the operator reaches the search service, which has the database', async () => {
    const pod = podOf(find(objects, 'Deployment', 'mlops-operator-hpo'));
    const names = pod?.containers[0]?.env?.map(({ name }) => name) ?? [];
    expect(names).toContain('MLOPS_DATABASE_PASSWORD_FILE');
    expect(names.filter((name) => name.includes('S3'))).toEqual([]);
    expect(find(objects, 'NetworkPolicy', 'mlops-operator-hpo').spec?.['ingress']).toEqual([
      {
        from: [
          {
            podSelector: {
              matchLabels: {
                'app.kubernetes.io/name': 'mlops-operator',
                'app.kubernetes.io/instance': 'mlops-operator',
                'app.kubernetes.io/component': 'operator',
              },
            },
          },
        ],
        ports: [{ protocol: 'TCP', port: 'http' }],
      },
      // Its storage proxy asks every caller for a token.
      { ports: [{ protocol: 'TCP', port: 'proxy' }] },
    ]);
    expect(valueOf(operatorOf(objects), 'MLOPS_HPO_URL')).toMatch(
      /^http:\/\/mlops-operator-hpo\.[a-z-]+\.svc:8090$/,
    );
    const without = await render(['hpo.enabled=false']);
    expect(without.filter(({ metadata }) => metadata.name.endsWith('-hpo'))).toEqual([]);
    expect(valueOf(operatorOf(without), 'MLOPS_HPO_URL')).toBeUndefined();
  });

  test('the search service reviews tokens for its storage proxy, may do nothing else, and without it has no token', async () => {
    expect(podOf(find(objects, 'Deployment', 'mlops-operator-hpo'))).toMatchObject({
      serviceAccountName: 'mlops-operator-hpo',
      automountServiceAccountToken: true,
    });
    expect(find(objects, 'ClusterRole', 'mlops-operator-hpo')).toMatchObject({
      rules: [
        { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      ],
    });
    const without = await render(['hpo.storageProxy.enabled=false']);
    const pod = podOf(find(without, 'Deployment', 'mlops-operator-hpo'));
    expect(pod).toMatchObject({ automountServiceAccountToken: false });
    expect(pod?.containers[0]).toMatchObject({ ports: [{ name: 'http', containerPort: 8090 }] });
    expect(find(without, 'NetworkPolicy', 'mlops-operator-hpo').spec?.['ingress']).toHaveLength(1);
    const roles = without.filter(({ kind }) => kind.startsWith('ClusterRole'));
    expect(roles.filter(({ metadata }) => metadata.name.endsWith('-hpo'))).toEqual([]);
  });

  test('gives the same manifests every time, so that GitOps sees no difference', async () => {
    expect(await render()).toEqual(objects);
  });

  test('one registry, one digest and one pull secret reach every image', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const mirrored = await render([
      'global.imageRegistry=mirror.example.com/hub',
      'global.imagePullSecrets={pull}',
      `serving.image.digest=${digest}`,
    ]);
    for (const [, pod] of podsOf(mirrored)) {
      expect(pod.imagePullSecrets).toEqual([{ name: 'pull' }]);
      for (const { image } of pod.containers) expect(image).toMatch(/^mirror\.example\.com\/hub\//);
    }
    const operator = operatorOf(mirrored);
    expect(valueOf(operator, 'MLOPS_SERVING_IMAGE')).toBe(
      `mirror.example.com/hub/mlops-serving-runtime@${digest}`,
    );
    expect(valueOf(operator, 'MLOPS_IMAGE_PULL_SECRETS')).toBe('pull');
  });

  test.each([
    ['a typing error in a key', ['operator.replica=2'], /replica/],
    ['a wrong type', ['operator.replicas=two'], /replicas/],
    ['a digest that is none', ['operator.image.digest=latest'], /digest/],
    ['no database at all', ['postgresql.enabled=false'], /externalDatabase/],
    ['no S3 at all', ['s3.enabled=false'], /externalS3/],
  ])('refuses %s with a sentence', async (_, set, message) => {
    await expect(render(set)).rejects.toThrow(message);
  });

  test('keeps CRDs on uninstall unless told otherwise', async () => {
    const crds = (keep: boolean): Promise<string> =>
      helm([
        ...['template', 'x', chart, '--kube-version', '1.34.4'],
        ...['--show-only', 'templates/crds/models.yaml', '--set', `crds.keep=${keep}`],
      ]);
    expect(await crds(true)).toContain('helm.sh/resource-policy: keep');
    expect(await crds(false)).not.toContain('helm.sh/resource-policy');
  });
});
