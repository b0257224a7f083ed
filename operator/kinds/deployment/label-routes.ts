import { deployment } from '../../../crds/schema/deployment.ts';
import { Problem } from '../../api/problem.ts';
import { requiredObject } from '../../api/required-object.ts';
import { identityOf } from '../../api/route-context.ts';
import type { ApiRoutes } from '../../api/route-context.ts';
import { OBJECT_PARAMS } from '../../api/schemas.ts';
import { ownType } from '../../runtime/own-type.ts';
import type { LabelStore } from '../../store/labels.ts';
import { MAX_TRUTHS, readLabels } from './label-input.ts';

const DEPLOYMENT = ownType(deployment);

const MAX_LABELS = 1000;
/** Each holds a connection to the database; half of them are left for all else. */
const MAX_AT_WORK = 4;
const BUSY_SECONDS = 1;

const TEXT = { type: 'string', minLength: 1, maxLength: 512 } as const;
const VALUE = { anyOf: [{ type: 'number' }, { type: 'boolean' }, { ...TEXT, minLength: 0 }] };

/** For OpenAPI; what is wrong with one label refuses that one and not the call. */
const LABEL = {
  type: 'object',
  required: ['predictionId', 'truth'],
  properties: {
    predictionId: { ...TEXT, description: 'The x-request-id of the answer.' },
    output: { ...TEXT, description: 'Name of the output tensor. Default: the first one.' },
    truth: {
      description:
        'What the output should have been: one value, or a list with one for each value or row of it.',
      anyOf: [...VALUE.anyOf, { type: 'array', minItems: 1, maxItems: MAX_TRUTHS, items: VALUE }],
    },
  },
} as const;

const bodyOf = (items: object) => ({
  type: 'object',
  required: ['labels'],
  properties: { labels: { type: 'array', maxItems: MAX_LABELS, items } },
});

const counted = (description: string) => ({ type: 'integer', description });

const TAKEN = {
  type: 'object',
  required: ['taken', 'duplicates', 'waiting', 'incomparable', 'refused'],
  properties: {
    taken: counted('Labels that are new.'),
    duplicates: counted('Labels that were here before.'),
    waiting: counted('Of those sent: no logged request has this id so far; they wait for it.'),
    incomparable: counted(
      'Of those compared now: the output is not logged, or has another number of values.',
    ),
    refused: {
      type: 'array',
      description: 'Labels that were not taken; sending them again changes nothing.',
      items: {
        type: 'object',
        required: ['index', 'reason'],
        properties: { index: { type: 'integer' }, reason: { type: 'string' } },
      },
    },
  },
} as const;

type Body = { readonly labels: readonly unknown[] };

/** Where people send what the answers of a Deployment should have been. */
export const labelRoutes =
  (store: LabelStore): ApiRoutes =>
  (app, context) => {
    let atWork = 0;
    app.post<{ Params: { readonly namespace: string; readonly name: string }; Body: Body }>(
      '/api/v1/namespaces/:namespace/modeldeployments/:name/labels',
      {
        schema: {
          operationId: 'appendLabels',
          summary: 'Takes the truth about logged requests, each label once',
          tags: [DEPLOYMENT.plural],
          params: OBJECT_PARAMS,
          // Its items are not validated here, as the framework makes numbers of texts.
          body: bodyOf({}),
          response: { 200: TAKEN },
        },
        config: { requestBody: bodyOf(LABEL) },
        // Before the body is read, so that nobody else can make the API read one.
        preParsing: async (request) => {
          const action = {
            verb: 'create',
            resource: DEPLOYMENT.plural,
            ...request.params,
          } as const;
          await context.access.require(identityOf(request), { ...action, subresource: 'labels' });
        },
      },
      async (request) => {
        await requiredObject(context, DEPLOYMENT, request.params);
        const { labels, indexes, refused } = readLabels(request.body.labels);
        if (atWork >= MAX_AT_WORK) throw busy();
        atWork++;
        try {
          const { conflicting, ...written } = await store.append(
            request.params,
            labels,
            context.now(),
          );
          const others = conflicting.map((i) => ({ index: indexes[i] ?? i, reason: CONFLICT }));
          const all = [...refused, ...others].sort((a, b) => a.index - b.index);
          return { ...written, refused: all };
        } finally {
          atWork--;
        }
      },
    );
  };

const CONFLICT = 'another truth was sent before for this prediction and output, and it stays';

const busy = (): Problem =>
  new Problem('TooManyRequests', 'Too many labels are being written just now. Try again.', {
    retryAfterSeconds: BUSY_SECONDS,
  });
