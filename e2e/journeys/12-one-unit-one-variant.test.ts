import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { assignmentFilter } from '../../operator/kinds/ab-test/assignment-filter.ts';
import { bucketRanges, type CandidateShare } from '../../operator/traffic/buckets.ts';
import { BUCKETS, bucketOf } from '../../operator/traffic/unit-hash.ts';
import { echoVariant } from './harness/echo.ts';
import { Gateway, ISTIO_BUILD_MS } from './harness/gateway.ts';
import { kubectl } from './harness/kubectl.ts';
import { see, splitUnits, variantsOf, type Headers } from './harness/split-units.ts';
import { Tenant } from './harness/tenant.ts';

const MINUTES = 60_000;
const SOAK = process.env['SOAK'] === '1';
const UNITS = SOAK ? 10_000 : 1000;
const TIMES = 10;
const NAMESPACE = 'journey-sticky';
/** Standard deviations; beyond 4.5 is one in 147,000. */
const SIGMAS = 4.5;

type TestOfUnits = {
  readonly name: string;
  readonly salt: string;
  readonly unit: { readonly header?: string; readonly cookie?: string };
};

const BY_HEADER = {
  name: 'by-header',
  salt: '2f1c9a0e-6d5b-4c1f-9a77-0b8f5f0c1d2e',
  unit: { header: 'X-User-Id' },
};
/** A name that a pattern or a program would take for more than a name. */
const COOKIE = 'u.%d+*^$#`';
const BY_COOKIE = {
  name: 'by-cookie',
  salt: '7b3d0c4e-1f2a-4b5c-8d6e-9f0a1b2c3d4e',
  unit: { cookie: COOKIE },
};
const TESTS: readonly TestOfUnits[] = [BY_HEADER, BY_COOKIE];
const TWO: readonly CandidateShare[] = [
  { name: 'one', weight: 20 },
  { name: 'two', weight: 50 },
];

const hostOf = ({ name }: TestOfUnits) => `${name}.sticky.example.com`;
const OTHER = 'other.sticky.example.com';
const units = Array.from({ length: UNITS }, (_, i) => `user-${i}`);

const headersOf =
  ({ unit }: TestOfUnits) =>
  (value: string): Headers =>
    unit.header === undefined ? { cookie: `a=b; ${COOKIE}=${value}` } : { 'x-user-id': value };

/** Where it belongs by the hash in TypeScript. */
const belongs = (salt: string, unit: string, shares: readonly CandidateShare[]): string => {
  const bucket = bucketOf(salt, unit);
  return bucketRanges(shares).find(({ buckets }) => buckets.includes(bucket))?.name ?? 'control';
};

const aUnitIn = (salt: string, bucket: number): string => {
  for (let i = 0; ; i++) if (bucketOf(salt, `probe-${i}`) === bucket) return `probe-${i}`;
};

const within = (got: number, of: number, share: number): void => {
  expect(Math.abs(got - of * share)).toBeLessThan(SIGMAS * Math.sqrt(of * share * (1 - share)));
};

describe('a unit keeps its variant at the gateway', () => {
  let tenant: Tenant;
  let gateway: Gateway;

  const filters = TESTS.map((each) =>
    assignmentFilter({
      ...{ name: `sticky-${each.name}`, salt: each.salt, unit: each.unit },
      gatewayNamespace: 'istio-system',
      gatewaySelector: { istio: 'ingressgateway' },
      hosts: [hostOf(each)],
    }),
  );

  /** The gateway has followed when units at both ends of every variant, and beside them, are where they belong. */
  const split = async (each: TestOfUnits, shares: readonly CandidateShare[]): Promise<void> => {
    await tenant.apply(splitUnits(each.name, hostOf(each), shares));
    const edges = bucketRanges(shares).flatMap(({ buckets: [first = 0, ...rest] }) => [
      ...[first, first - 1, first + rest.length, first + rest.length + 1],
    ]);
    const probes = edges
      .filter((bucket) => bucket >= 0 && bucket < BUCKETS)
      .map((bucket) => aUnitIn(each.salt, bucket));
    await tenant.until(`the gateway to split ${JSON.stringify(shares)}`, 60, async () => {
      const found = await variantsOf({ ...questions(each), units: probes, times: 8 });
      return probes.every((unit) => found.get(unit) === belongs(each.salt, unit, shares))
        ? true
        : undefined;
    });
  };

  const questions = (each: TestOfUnits) => ({
    ...{ gateway, host: hostOf(each), units, times: TIMES, headersOf: headersOf(each) },
  });

  beforeAll(async () => {
    gateway = await Gateway.start();
    tenant = await Tenant.named(NAMESPACE);
    const variants = ['control', 'one', 'two'];
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: filters }),
    );
    await tenant.apply(...variants.flatMap(echoVariant), splitUnits('other', OTHER, []));
    for (const variant of variants) {
      await tenant.kubectl('rollout', 'status', `deployment/${variant}`, '--timeout=120s');
    }
    await split(BY_HEADER, [{ name: 'one', weight: 10 }]);
    await split(BY_COOKIE, TWO);
    await tenant.until(`the gateway to know ${OTHER}`, 30, async () =>
      (await gateway.ask(OTHER, '/')).status === 200 ? true : undefined,
    );
  }, ISTIO_BUILD_MS);

  afterAll(async () => {
    const names = filters.map(({ metadata }) => metadata.name);
    await kubectl(['-n', 'istio-system', 'delete', 'envoyfilter', ...names, '--ignore-not-found']);
    await gateway.close();
    await tenant.abandon();
  }, 2 * MINUTES);

  test(
    'through weights of 10, 30, 60 and 10 percent, and none leaves a candidate that grows',
    async () => {
      const found: ReadonlyMap<string, string>[] = [];
      for (const weight of [10, 30, 60, 10]) {
        const shares = [{ name: 'one', weight }];
        await split(BY_HEADER, shares);
        const variants = await variantsOf(questions(BY_HEADER));
        const onOne = units.filter((unit) => variants.get(unit) === 'one');
        const before = found.at(-1);
        const left = units.filter(
          (unit) => before?.get(unit) === 'one' && variants.get(unit) !== 'one',
        );
        if (SOAK) console.info(JSON.stringify({ weight, one: onOne.length, left: left.length }));
        expect(onOne).toEqual(
          units.filter((unit) => belongs(BY_HEADER.salt, unit, shares) === 'one'),
        );
        within(onOne.length, UNITS, weight / 100);
        if (found.length < 3) expect(left).toEqual([]);
        found.push(variants);
      }
      expect(found[3]).toEqual(found[0]);
    },
    30 * MINUTES,
  );

  test(
    'with two candidates and a cookie, in a test whose buckets know nothing of the other test',
    async () => {
      const variants = await variantsOf({ ...questions(BY_COOKIE), times: 2 });
      for (const unit of units) {
        expect(variants.get(unit)).toBe(belongs(BY_COOKIE.salt, unit, TWO));
      }
      const here = units.filter((unit) => bucketOf(BY_HEADER.salt, unit) < 60);
      const both = here.filter((unit) => variants.get(unit) === 'two');
      within(both.length, here.length, 0.5);
    },
    10 * MINUTES,
  );

  const onOne = aUnitIn(BY_HEADER.salt, 0);
  const onControl = aUnitIn(BY_HEADER.salt, 99);
  const FORGED = { 'x-mlops-bucket': '00', 'x-mlops-unit': 'forged', 'x-mlops-variant': 'one' };
  const control = { variant: 'control', podVariant: 'control' };

  test.each<[string, Headers, object]>([
    ['no unit', {}, control],
    ['no unit but forged headers', FORGED, control],
    [
      'forged headers beside a unit of control',
      { ...FORGED, 'x-user-id': onControl },
      { ...control, unit: onControl, bucket: '99' },
    ],
    [
      'forged headers sent twice, in capitals',
      { 'X-MLOPS-Bucket': ['00', '01'], 'x-user-id': onControl },
      { ...control, unit: onControl, bucket: '99' },
    ],
    ['two values of the header', { 'x-user-id': [onOne, onOne] }, control],
    ['a unit of 513 characters', { 'x-user-id': 'x'.repeat(513) }, control],
    ['an empty unit', { 'x-user-id': '' }, control],
    ['a unit that is not ASCII', { 'x-user-id': 'J\u00fcrgen' }, control],
    ['a unit', { 'x-user-id': onOne }, { variant: 'one', podVariant: 'one', unit: onOne }],
  ])('%s', async (_, headers, wanted) => {
    const { variant, podVariant, unit, bucket } = await see(gateway, hostOf(BY_HEADER), headers);
    expect({ variant, podVariant, unit, bucket }).toMatchObject(wanted);
    if (!('unit' in wanted)) expect([unit, bucket]).toEqual([undefined, undefined]);
  });

  test.each(['x'.repeat(512), '%d+', '[^;]*$', '"]] os.exit(1) --', '\\27\\0', 'a, b', '$(x)`'])(
    'the unit %j is but a text',
    async (unit) => {
      const seen = await see(gateway, hostOf(BY_HEADER), { 'x-user-id': unit });
      expect(seen.unit).toBe(unit);
      expect(Number(seen.bucket)).toBe(bucketOf(BY_HEADER.salt, unit));
    },
  );

  test.each([
    ['the first of two', `${COOKIE}=first; ${COOKIE}=second`, 'first'],
    ['after what is no cookie', `;; =; a; "b=;${COOKIE}=last \t ; c`, 'last'],
    ['with an equals sign in it', `${COOKIE}=a=b`, 'a=b'],
    ['of another case', `${COOKIE.toUpperCase()}=a`, undefined],
    ['of a longer name', `x${COOKIE}=a; ${COOKIE}x=b; y=${COOKIE}=c`, undefined],
    ['without a value', `${COOKIE}`, undefined],
    ['with an empty value', `${COOKIE}=  `, undefined],
    ['that a pattern would match', 'ux5*^$#`=a', undefined],
  ])('a cookie %s', async (_, cookie, unit) => {
    const seen = await see(gateway, hostOf(BY_COOKIE), { cookie });
    expect(seen.unit).toBe(unit);
  });

  test('hosts in capitals and with a port are the same host to the gateway', async () => {
    const host = `${hostOf(BY_HEADER).toUpperCase()}:8080`;
    const seen = await see(gateway, host, { ...FORGED, 'x-user-id': onControl });
    expect(seen).toMatchObject({ variant: 'control', unit: onControl, bucket: '99' });
  });

  test('requests for other hosts pass as they are', async () => {
    const seen = await see(gateway, OTHER, { ...FORGED, 'x-user-id': onOne });
    expect(seen).toMatchObject({ unit: 'forged', bucket: '00' });
  });
});
