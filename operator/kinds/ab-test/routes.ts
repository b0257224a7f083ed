import { abTest } from '../../../crds/schema/ab-test.ts';
import type { ABTest } from '../../../crds/schema/ab-test.ts';
import { Problem } from '../../api/problem.ts';
import { requiredObject } from '../../api/required-object.ts';
import { identityOf } from '../../api/route-context.ts';
import type { ApiRoutes } from '../../api/route-context.ts';
import { OBJECT_PARAMS } from '../../api/schemas.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { ObjectKey } from '../../runtime/resource-type.ts';
import { readOutcomes } from './outcome-input.ts';
import { TestClosed } from './outcome-store.ts';
import type { Appended, Outcome, OutcomeStore, TestScope } from './outcome-store.ts';
import { sentMetrics } from './test-metrics.ts';
import { scopeOf } from './test-scope.ts';

const AB_TEST = ownType(abTest);

const MAX_OUTCOMES = 1000;
/** Each holds a connection to the database; half of them are left for all else. */
const MAX_AT_WORK = 4;
const BUSY_SECONDS = 1;

const TEXT = { type: 'string', minLength: 1, maxLength: 512 } as const;

/** For OpenAPI; what is wrong with one outcome refuses that one and not the call. */
const OUTCOME = {
  type: 'object',
  required: ['metric', 'value'],
  description:
    'Exactly one of unit and predictionId; at least one of id and at, so that it counts once however often it is sent.',
  properties: {
    id: { ...TEXT, description: 'Counts once for each metric of the test.' },
    unit: { ...TEXT, description: 'The unit, as the header or cookie of the test named it.' },
    predictionId: { ...TEXT, description: 'The x-request-id of the request it comes of.' },
    metric: { ...TEXT, description: 'A metric of the test, or a part of its ratios.' },
    value: { type: 'number', description: 'From -1e15 to 1e15.' },
    at: {
      type: 'string',
      format: 'date-time',
      description: 'When it happened, at most 30 days ago. Default: now.',
    },
  },
} as const;

const bodyOf = (items: object) => ({
  type: 'object',
  required: ['outcomes'],
  properties: { outcomes: { type: 'array', maxItems: MAX_OUTCOMES, items } },
});

const TAKEN = {
  type: 'object',
  required: ['taken', 'duplicates', 'refused'],
  properties: {
    taken: { type: 'integer', description: 'Outcomes that are new.' },
    duplicates: { type: 'integer', description: 'Outcomes that were here before.' },
    refused: {
      type: 'array',
      description: 'Outcomes that were not taken; sending them again changes nothing.',
      items: {
        type: 'object',
        required: ['index', 'reason'],
        properties: { index: { type: 'integer' }, reason: { type: 'string' } },
      },
    },
  },
} as const;

type Body = { readonly outcomes: readonly unknown[] };

/**
 * Where applications send what came of the requests. It hangs on the test and not on the Deployment: the
 * test says which metrics there are, and its numbers go with it.
 */
export const abTestRoutes =
  (store: OutcomeStore): ApiRoutes =>
  (app, context) => {
    let atWork = 0;
    app.post<{ Params: ObjectKey; Body: Body }>(
      '/api/v1/namespaces/:namespace/abtests/:name/outcomes',
      {
        schema: {
          operationId: 'appendOutcomes',
          summary: 'Takes what came of the requests of a test, each outcome once',
          tags: [AB_TEST.plural],
          params: OBJECT_PARAMS,
          // Its items are not validated here, as the framework makes numbers of texts.
          body: bodyOf({}),
          response: { 200: TAKEN },
        },
        config: { requestBody: bodyOf(OUTCOME) },
        // Before the body is read, so that nobody else can make the API read one.
        preParsing: async (request) => {
          const action = { verb: 'create', resource: AB_TEST.plural, ...request.params } as const;
          await context.access.require(identityOf(request), { ...action, subresource: 'outcomes' });
        },
      },
      async (request) => {
        const test = await requiredObject<ABTest>(context, AB_TEST, request.params);
        const metrics = sentMetrics(test.spec);
        const sent = readOutcomes(request.body.outcomes, { metrics, now: context.now() });
        if (atWork >= MAX_AT_WORK) throw busy();
        atWork++;
        try {
          const written = await append(store, scopeOf(test), sent.outcomes);
          return { ...written, refused: sent.refused };
        } finally {
          atWork--;
        }
      },
    );
  };

const append = async (
  store: OutcomeStore,
  test: TestScope,
  outcomes: readonly Outcome[],
): Promise<Appended> => {
  try {
    return await store.append(test, outcomes);
  } catch (error) {
    if (!(error instanceof TestClosed)) throw error;
    throw new Problem('Conflict', error.message, { cause: error });
  }
};

const busy = (): Problem =>
  new Problem('TooManyRequests', 'Too many outcomes are being written just now. Try again.', {
    retryAfterSeconds: BUSY_SECONDS,
  });
