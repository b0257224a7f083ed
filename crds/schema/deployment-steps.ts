import { z } from 'zod';
import { dnsLabel, duration, flag, integer, listMap, listOf } from './fields.ts';
import { exactlyOneOf, shaped, withRules } from './rules.ts';

const HEADER = /^[A-Za-z0-9!#$%&*+.^_`|~-]+$/;

const pause = z
  .strictObject({ duration: duration('How long to wait.').optional() })
  .describe(
    'Wait: for duration, or with {} until the annotation mlops.pynomaly.io/promote names the revision.',
  );

const analysis = z
  .strictObject({ duration: duration('How long the metrics must have been good.').optional() })
  .describe(
    'Wait until the metrics of canary.analysis are good on minimumRequests, and for duration where it is given.',
  );

const setCanaryScale = withRules(
  z
    .strictObject({
      replicas: integer('So many pods.', 1, 1000).optional(),
      weight: integer('This percentage of the pods of the old version.', 1, 100).optional(),
      matchTrafficWeight: flag(
        'True: as many as its share of the traffic asks for again.',
      ).optional(),
    })
    .describe(
      'How many pods of the new version; left out, as many as its share of the traffic asks for.',
    ),
  exactlyOneOf(
    ['replicas', 'weight', 'matchTrafficWeight'],
    'set exactly one of replicas, weight and matchTrafficWeight',
  ),
);

const setMirrorRoute = z
  .strictObject({
    name: dnsLabel('Name of the route; another step with it changes the route.'),
    percentage: integer(
      'Percent of the requests that are copied; left out, all of them; 0 ends the route.',
      0,
      100,
    ).optional(),
  })
  .describe(
    'Copies of requests go to the new version, whose answers are thrown away; needs trafficRouting.istio.',
  );

const headerMatch = withRules(
  z.strictObject({
    headerName: shaped(
      z.string().min(1).max(128).describe('Name of the request header.'),
      HEADER,
      'must be the name of a header, such as x-tester',
    ),
    exact: z.string().min(1).max(1024).describe('The whole value.').optional(),
    prefix: z.string().min(1).max(1024).describe('How the value begins.').optional(),
    regex: z.string().min(1).max(1024).describe('The whole value, as RE2.').optional(),
  }),
  exactlyOneOf(['exact', 'prefix', 'regex'], 'set exactly one of exact, prefix and regex'),
);

const setHeaderRoute = z
  .strictObject({
    name: dnsLabel('Name of the route; another step with it changes the route.'),
    match: listMap(headerMatch, 'Headers a request must all have; left out, the route ends.', {
      min: 1,
      max: 8,
      key: 'headerName',
    }).optional(),
  })
  .describe('Requests with these headers go to the new version; needs trafficRouting.istio.');

const KEYS = [
  'setWeight',
  'pause',
  'analysis',
  'setCanaryScale',
  'setMirrorRoute',
  'setHeaderRoute',
] as const;

const step = withRules(
  z.strictObject({
    setWeight: integer('Percent of the requests the new version gets.', 0, 100).optional(),
    pause: pause.optional(),
    analysis: analysis.optional(),
    setCanaryScale: setCanaryScale.optional(),
    setMirrorRoute: setMirrorRoute.optional(),
    setHeaderRoute: setHeaderRoute.optional(),
  }),
  exactlyOneOf(KEYS, `a step has exactly one key: ${KEYS.join(', ')}`),
);

export const steps = listOf(
  step,
  'What happens one after the other; after the last step the new version gets everything.',
  { min: 1, max: 64 },
);
