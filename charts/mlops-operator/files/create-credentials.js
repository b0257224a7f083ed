/* global fetch */
// Creates each Secret of SECRETS (name=key,key;name=key) with random values, unless it is there.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { env, stdout } from 'node:process';

const { NAMESPACE, SECRETS, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;

for (const entry of SECRETS.split(';')) {
  const [name, keys] = entry.split('=');
  const stringData = Object.fromEntries(
    keys.split(',').map((key) => [key, randomBytes(24).toString('hex')]),
  );
  const answer = await fetch(`${server}/api/v1/namespaces/${NAMESPACE}/secrets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, labels: { 'app.kubernetes.io/part-of': 'mlops-operator' } },
      stringData,
    }),
  });
  if (answer.status === 201) stdout.write(`Secret ${name} created.\n`);
  else if (answer.status === 409) stdout.write(`Secret ${name} is there already; left as it is.\n`);
  else throw new Error(`Secret ${name}: ${answer.status} ${await answer.text()}`);
}
