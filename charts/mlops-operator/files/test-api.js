/* global fetch, AbortSignal */
// What `helm test` runs: the operator is ready, and its API knows who asks and what they may do.
import { readFileSync } from 'node:fs';
import { env, stdout } from 'node:process';

const { API_URL, READY_URL, NAMESPACE } = env;
const models = `${API_URL}/api/v1/namespaces/${NAMESPACE}/models`;

const check = async (what, url, headers, wanted) => {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  const body = await answer.text();
  if (answer.status !== wanted) {
    throw new Error(`${what}: GET ${url} answered ${answer.status}, not ${wanted}: ${body}`);
  }
  stdout.write(`ok - ${what}\n`);
  return body;
};

const token = readFileSync('/var/run/secrets/mlops/token', 'utf8');
await check('the operator is ready', READY_URL, {}, 200);
await check('the API refuses a caller without a token', models, {}, 401);
const page = await check(
  'the API lists models for a caller that may',
  models,
  { authorization: `Bearer ${token}` },
  200,
);
if (!Array.isArray(JSON.parse(page).items)) throw new Error(`The list has no items: ${page}`);
await check(
  'the API refuses what the caller may not see',
  `${API_URL}/api/v1/namespaces/${NAMESPACE}/experiments`,
  { authorization: `Bearer ${token}` },
  403,
);
