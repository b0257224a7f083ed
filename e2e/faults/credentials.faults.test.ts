import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createCertificates } from '../cluster/certificates.ts';
import { startTlsFront } from './harness/tls-front.ts';
import { changeApps, converged, createApps, names } from './harness/apps.ts';
import { startOperator } from './harness/operator-process.ts';
import { note, settings } from './harness/settings.ts';
import { Stage, type FaultCase } from './harness/stage.ts';
import { until } from './harness/until.ts';

jest.setTimeout(300_000);

const COUNT = 10;
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

/** Replaces a file in one step, as kubelet does with mounted ones. */
const swap = (file: string, content: string): void => {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
};

/** A token of a service account that is good as long as the Secret it is bound to is there. */
const tokenBoundTo = async (namespace: string, secret: string): Promise<string> => {
  const root = `/api/v1/namespaces/${namespace}`;
  const { metadata } = await stage.kube.create(`${root}/secrets`, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secret },
  });
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      expirationSeconds: 600,
      boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: secret, uid: metadata.uid },
    },
  };
  const answer = await stage.kube.create(`${root}/serviceaccounts/operator/token`, request);
  return (answer['status'] as { readonly token: string }).token;
};

const prepared = async (): Promise<
  FaultCase & { readonly folder: string; readonly files: Files }
> => {
  const started = await stage.newCase('rotated');
  const { namespace } = started;
  const folder = join(stage.dir, namespace);
  mkdirSync(folder);
  await stage.kube.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'operator' },
  });
  await stage.kube.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'operator', namespace }],
  });
  const files = {
    token: join(folder, 'token'),
    ca: join(folder, 'ca.crt'),
    kubeconfig: join(folder, 'kubeconfig'),
  };
  return { ...started, folder, files };
};

type Files = { readonly token: string; readonly ca: string; readonly kubeconfig: string };

const writeKubeconfig = ({ token, ca, kubeconfig }: Files, server: string): void => {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'x', cluster: { server, 'certificate-authority': ca } }],
    // As a pod's service account is read.
    users: [
      {
        name: 'operator',
        user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: token } } },
      },
    ],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'operator' } }],
    'current-context': 'x',
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
};

describe('credentials that change', () => {
  test('47: a token and an authority that are replaced in their files are used without a restart', async () => {
    const { namespace, folder, files } = await prepared();
    const [oldCa, newCa] = [join(folder, 'old'), join(folder, 'new')];
    for (const pki of [oldCa, newCa]) await createCertificates(pki, '127.0.0.1', 'none');
    const pem = (pki: string, file: string): string => readFileSync(join(pki, file), 'utf8');
    const front = await startTlsFront(stage.plane.url, {
      cert: pem(oldCa, 'apiserver.crt'),
      key: pem(oldCa, 'apiserver.key'),
    });
    stage.atEnd(() => front.stop());
    writeFileSync(files.ca, pem(oldCa, 'ca.crt'));
    writeFileSync(files.token, await tokenBoundTo(namespace, 'first-token'));
    writeKubeconfig(files, front.url);
    const operator = startOperator(['--namespace', namespace], {
      kubeconfig: files.kubeconfig,
      logFile: join(settings.logs, `${namespace}.log`),
    });
    stage.atEnd(() => operator.kill('SIGKILL'));
    await createApps(stage.kube, namespace, names(COUNT), 'first');
    await converged(stage.kube, namespace, { count: COUNT, value: 'first', seconds: 60 });

    const before = await fetchWhoAmI(front.url, files);
    expect(before).toBe(201);
    swap(files.token, await tokenBoundTo(namespace, 'second-token'));
    const oldToken = `/api/v1/namespaces/${namespace}/secrets/first-token`;
    await stage.kube.delete(oldToken);
    await changeApps(stage.kube, namespace, names(COUNT), 'second');
    const token = await converged(stage.kube, namespace, {
      count: COUNT,
      value: 'second',
      seconds: 90,
    });

    front.useCertificate({ cert: pem(newCa, 'apiserver.crt'), key: pem(newCa, 'apiserver.key') });
    swap(files.ca, pem(newCa, 'ca.crt'));
    front.cut();
    await changeApps(stage.kube, namespace, names(COUNT), 'third');
    const ca = await converged(stage.kube, namespace, {
      count: COUNT,
      value: 'third',
      seconds: 90,
    });
    note(47, `${token.toFixed(1)} s with the new token, ${ca.toFixed(1)} s with the new authority`);
    expect(operator.alive).toBe(true);
  });
});

/** That the door really asks for the token: a review of oneself is answered 201. */
const fetchWhoAmI = (url: string, files: Files): Promise<number> =>
  until('an answer', 10, async () => {
    const { request } = await import('node:https');
    return new Promise<number>((resolve, reject) => {
      const asking = request(
        `${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
        {
          method: 'POST',
          ca: readFileSync(files.ca),
          headers: {
            authorization: `Bearer ${readFileSync(files.token, 'utf8')}`,
            'content-type': 'application/json',
          },
        },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      asking.once('error', reject);
      asking.end('{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}');
    });
  });
