import { describe, expect, test } from '@jest/globals';
import { assignmentFilter, type AssignmentFilter } from './assignment-filter.ts';

const WANTED: AssignmentFilter = {
  name: 'mlops-shop-colours',
  gatewayNamespace: 'istio-system',
  gatewaySelector: { istio: 'ingressgateway' },
  hosts: ['Digits.example.com', 'digits.shop.svc.cluster.local'],
  salt: '2f1c9a0e-6d5b-4c1f-9a77-0b8f5f0c1d2e',
  unit: { header: 'X-User-Id' },
};

type Patch = {
  readonly applyTo: string;
  readonly match: { readonly context: string };
  readonly patch: {
    readonly operation: string;
    readonly value: {
      readonly name: string;
      readonly typed_config: {
        readonly extension_config: {
          readonly typed_config: {
            readonly default_source_code: { readonly inline_string: string };
          };
        };
        readonly xds_matcher: unknown;
      };
    };
  };
};

const specOf = (wanted: AssignmentFilter) =>
  (assignmentFilter(wanted) as unknown as { spec: { configPatches: readonly [Patch] } }).spec;

const configOf = (wanted: AssignmentFilter) =>
  specOf(wanted).configPatches[0].patch.value.typed_config;

const luaOf = (wanted: AssignmentFilter): string =>
  configOf(wanted).extension_config.typed_config.default_source_code.inline_string;

/** The condition under which Envoy skips the program. */
const skippedUnless = (hosts: readonly string[]) => {
  const { xds_matcher: matcher } = configOf({ ...WANTED, hosts });
  const wanted = /"regex":("(?:[^"\\]|\\.)*")/.exec(JSON.stringify(matcher))?.[1] ?? '""';
  return JSON.parse(wanted) as string;
};

/** A line of the program that begins so. */
const lineOf = (lua: string, beginning: string): string | undefined =>
  lua.split('\n').find((line) => line.startsWith(beginning));

describe('the filter that puts units into buckets', () => {
  test('is for the pods of one gateway', () => {
    expect(assignmentFilter(WANTED)).toMatchObject({
      apiVersion: 'networking.istio.io/v1alpha3',
      kind: 'EnvoyFilter',
      metadata: { name: 'mlops-shop-colours', namespace: 'istio-system' },
      spec: {
        workloadSelector: { labels: { istio: 'ingressgateway' } },
        configPatches: [
          {
            applyTo: 'HTTP_FILTER',
            match: { context: 'GATEWAY' },
            patch: {
              operation: 'INSERT_BEFORE',
              value: { name: 'mlops.assignment.mlops-shop-colours' },
            },
          },
        ],
      },
    });
  });

  test('runs for its hosts only, with whatever port', () => {
    expect(skippedUnless(['digits.example.com', 'digits.shop.svc.cluster.local'])).toBe(
      String.raw`(?i)(digits\x{2e}example\x{2e}com|digits\x{2e}shop\x{2e}svc\x{2e}cluster\x{2e}local)(:.*)?`,
    );
  });

  test('takes a host as a text and nothing else', () => {
    expect(skippedUnless(['a)|(.+'])).toBe(String.raw`(?i)(a\x{29}\x{7c}\x{28}\x{2e}\x{2b})(:.*)?`);
  });

  test('knows its header in lower case', () => {
    expect(lineOf(luaOf(WANTED), 'local NAME')).toBe('local NAME = "x-user-id"');
  });

  test('knows the state of the hash after the salt, which is all it needs of it', () => {
    expect(lineOf(luaOf({ ...WANTED, salt: '' }), 'local SEED')).toBe(
      // The offset basis of FNV-1a is 0x811c9dc5; one NUL makes 0x050c5d1f of it, as published.
      `local SEED = ${0x050c5d1f}`,
    );
  });

  test('reads a cookie by its name, which keeps its case', () => {
    const lua = luaOf({ ...WANTED, unit: { cookie: 'User' } });
    expect(lineOf(lua, 'local NAME')).toBe(String.raw`local NAME = "User\061"`);
    expect(lua).toContain('headers:getNumValues("cookie")');
  });

  test.each<[string, string]>([
    [
      '"] = true } os.exit(1) --',
      String.raw`"\034\093\032\061\032true\032\125\032os.exit\0401\041\032--"`,
    ],
    ['\\\n', String.raw`"\092\010"`],
    ['\u00fc', String.raw`"\195\188"`],
    ['%d${x}', String.raw`"\037d\036\123x\125"`],
  ])('takes the name %j as a text and nothing else', (name, text) => {
    const lua = luaOf({ ...WANTED, unit: { header: name } });
    expect(lineOf(lua, 'local NAME')).toBe(`local NAME = ${text}`);
  });

  test.each<[string, Partial<AssignmentFilter>, string]>([
    [
      'a wildcard',
      { hosts: ['a.example.com', '*.example.com'] },
      'units cannot be told apart on *.example.com, which may cover hosts of others: name each host',
    ],
    ['no host', { hosts: [] }, 'name at least one host'],
    ['no unit', { unit: {} }, 'set exactly one of header and cookie'],
    ['two units', { unit: { header: 'a', cookie: 'b' } }, 'set exactly one of header and cookie'],
    ['an empty unit', { unit: { header: '' } }, 'set exactly one of header and cookie'],
  ])('refuses %s', (_, change, message) => {
    expect(() => assignmentFilter({ ...WANTED, ...change })).toThrow(message);
  });
});
