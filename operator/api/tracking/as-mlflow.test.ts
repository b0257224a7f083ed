import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { modelVersion } from '../../../crds/schema/model-version.ts';
import { ownType } from '../../runtime/own-type.ts';
import { apiFixture, person } from '../testing/api-fixture.ts';
import type { Fixture } from '../testing/api-fixture.ts';
import { conversation } from './testing/conversation.ts';
import { DIFFERENCES } from './testing/differences.ts';
import { play } from './testing/play.ts';
import type { Answer } from './testing/play.ts';

/** What `mlflow server` 3.17.2 answered to the same requests; made by `testing/record.ts`. */
const RECORDED = JSON.parse(
  readFileSync(join(import.meta.dirname, 'testing', 'recorded-3.17.2.json'), 'utf8'),
) as Readonly<Record<string, Answer>>;

const MODEL_VERSION = ownType(modelVersion);

/** The controller's part: it has read the bytes of every version. */
const verifyAll = async ({ cluster }: Fixture): Promise<void> => {
  for (const each of (await cluster.list(MODEL_VERSION)).items) {
    const { name, namespace = '' } = each.metadata;
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Verified', message: '' }];
    await cluster.patch(
      MODEL_VERSION,
      { name, namespace },
      [{ op: 'add', path: '/status', value: { conditions } }],
      { fieldManager: 'test' },
    );
  }
};

const converse = async (): Promise<Readonly<Record<string, Answer>>> => {
  const fixture = await apiFixture();
  fixture.cluster.allows = () => true;
  const headers = { ...person(fixture, 'ada'), 'x-mlflow-workspace': 'default' };
  return play(conversation, async (method, path, body) => {
    const [, model] = /"source":"models:\/(m-[0-9a-f]+)"/.exec(JSON.stringify(body ?? {})) ?? [];
    // What the client's log_model uploads before it registers anything.
    if (model !== undefined) {
      const run = model.slice(2, 34);
      const url = `/api/2.0/mlflow-artifacts/artifacts/default/runs/${run}/artifacts/clf/MLmodel`;
      await fixture.app.inject({
        method: 'PUT',
        url,
        headers,
        payload: Buffer.from('flavors: {}'),
      });
    }
    const response = await fixture.app.inject({
      method: method as 'GET',
      url: path,
      headers,
      ...(body === undefined ? {} : { payload: body }),
    });
    await verifyAll(fixture);
    fixture.pass(1);
    return { status: response.statusCode, body: response.json<unknown>() };
  });
};

describe('answers as MLflow’s own server gives them', () => {
  let answers: Readonly<Record<string, Answer>> = {};
  beforeAll(async () => {
    answers = await converse();
  }, 60_000);

  test('were recorded for every step', () => {
    expect(Object.keys(RECORDED)).toEqual(conversation.map(({ name }) => name));
  });

  test.each(conversation.map(({ name }) => name).filter((name) => !(name in DIFFERENCES)))(
    '%s',
    (name) => {
      expect(answers[name]).toEqual(RECORDED[name]);
    },
  );

  test.each(Object.entries(DIFFERENCES))('%s differs on purpose', (name, { ours }) => {
    expect(answers[name]).not.toEqual(RECORDED[name]);
    expect(answers[name]).toMatchObject(ours);
  });
});
