import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { anApp, isReady, paths, type App } from './harness/apps.ts';
import { KubeError, type KubeObject } from './harness/kube-client.ts';
import { figure, note } from './harness/settings.ts';
import { CRDS, Stage } from './harness/stage.ts';
import { until } from './harness/until.ts';

jest.setTimeout(600_000);

const RUNS = figure(60, 2_000);
const SEED = 20_260_101;
const crdFolder = join(import.meta.dirname, '../../crds');

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.endCase());
afterAll(() => stage.close());

/** Texts that break what handles text carelessly. */
const NASTY = [
  '__proto__',
  'constructor',
  'toString',
  '../../../etc/passwd',
  '..',
  '.',
  '%2e%2e%2f',
  '\u0000',
  'a\u0000b',
  '\u202egnp.exe',
  '\ud83e\uddea',
  "'; DROP TABLE resources; --",
  '${jndi:ldap://127.0.0.1/a}',
  '{{ .Values }}',
  '$(touch /hostile)',
  '&a [*a,*a,*a]',
  '!!js/function >',
  '\r\nSet-Cookie: a=b',
  '<script>alert(1)</script>',
  'a'.repeat(253),
  'a'.repeat(254),
  '-',
  '',
  ' ',
  'null',
  'true',
  '1e309',
];
const hostileText = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
);

/** What the server answered: 201, or the code of its refusal. */
const tried = async (path: string, object: object): Promise<number> => {
  try {
    await stage.kube.create(path, object);
    return 201;
  } catch (error) {
    if (error instanceof KubeError) return error.code;
    throw error;
  }
};

const ready = (path: string, seconds = 60): Promise<App> =>
  until(`${path} to be Ready`, seconds, async () => {
    const app = await stage.kube.get<App>(path);
    return isReady(app) ? app : undefined;
  });

const nested = (depth: number): object => {
  let value: object = {};
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
};

type ConfigMap = KubeObject & { readonly data: { readonly value: string } };

describe('hostile objects', () => {
  test('28: hostile names, labels and values are refused by the server or carried as they are', async () => {
    const { namespace, operator } = await stage.newCase('hostile');
    const at = paths(namespace);
    const process = operator();
    const taken = new Map<string, string>();
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(hostileText, fc.stringMatching(/^[a-z]([a-z0-9.-]{0,40}[a-z0-9])?$/)),
        hostileText,
        fc.dictionary(hostileText, hostileText, { maxKeys: 3 }),
        async (name, value, annotations) => {
          const app = anApp(name, value) as { metadata: object };
          const code = await tried(at.apps, {
            ...app,
            metadata: { name, annotations, labels: { 'example.com/x': value } },
          });
          // Refused for a reason; never a fault of the server, and never our operator's to mend.
          expect([201, 400, 409, 422]).toContain(code);
          if (code === 201) taken.set(name, value);
          else refused += 1;
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
    // Labels refuse most values; these go without.
    for (const [index, value] of NASTY.entries()) {
      const code = await tried(at.apps, anApp(`nasty-${index}`, value));
      if (code === 201) taken.set(`nasty-${index}`, value);
    }
    expect(taken.size).toBeGreaterThan(20);
    // A Service's name has at most 63 characters, begins with a letter and has no dot.
    const workable = [...taken].filter(([name]) => /^[a-z][a-z0-9-]{0,62}$/.test(name));
    for (const [name, value] of workable) {
      const app = await ready(`${at.apps}/${name}`);
      expect(app.spec.value).toBe(value);
      const { data } = await stage.kube.get<ConfigMap>(`${at.configMaps}/${name}`);
      expect(data.value).toBe(value);
    }
    note(28, `${refused} refused, ${taken.size} taken, ${workable.length} of them Ready`);
    expect(process.alive).toBe(true);
  });

  test('28: names that no child can have are told, and hold nobody else up', async () => {
    const { namespace, operator } = await stage.newCase('names');
    const at = paths(namespace);
    const process = operator();
    const long = 'a'.repeat(253);
    expect(await tried(at.apps, anApp(long, 'long'))).toBe(201);
    expect(await tried(at.apps, anApp('has.dots', 'dots'))).toBe(201);
    expect(await tried(at.apps, anApp('constructor', 'value'))).toBe(201);
    await stage.kube.create(at.apps, anApp('plain', 'value'));
    await ready(`${at.apps}/plain`);
    await ready(`${at.apps}/constructor`);
    await until('an Event on the one with the long name', 30, async () => {
      const events = await stage.kube.list(`/api/v1/namespaces/${namespace}/events`);
      return events.find(
        ({ involvedObject, type }) =>
          (involvedObject as { name: string }).name === long && type === 'Warning',
      );
    });
    expect(process.alive).toBe(true);
  });

  test('27: objects of 1.4 MB, with 10,000 labels or nested deeply harm nobody', async () => {
    const { namespace, operator } = await stage.newCase('huge');
    const at = paths(namespace);
    const process = operator();
    const codes = {
      big: await tried(at.apps, anApp('big', 'x'.repeat(1_400_000))),
      bigger: await tried(at.apps, anApp('bigger', 'x'.repeat(3_500_000))),
      labels: await tried(at.apps, {
        ...anApp('labels', 'value'),
        metadata: {
          name: 'labels',
          labels: Object.fromEntries(
            Array.from({ length: 10_000 }, (_, index) => [`example.com/l${index}`, `v${index}`]),
          ),
        },
      }),
      deep: await tried(at.apps, { ...anApp('deep', 'value'), junk: nested(1_000) }),
    };
    note(27, JSON.stringify(codes));
    // etcd takes no more than 1.5 MiB; the request itself may have 3.
    expect(codes).toMatchObject({ big: 201, bigger: 413, labels: 201 });
    await stage.kube.create(at.apps, anApp('plain', 'value'));
    await ready(`${at.apps}/plain`);
    await ready(`${at.apps}/labels`);
    await until('an Event on the big one', 30, async () => {
      const events = await stage.kube.list(`/api/v1/namespaces/${namespace}/events`);
      return events.find(
        ({ involvedObject, type }) =>
          (involvedObject as { name: string }).name === 'big' && type === 'Warning',
      );
    });
    expect(process.alive).toBe(true);
  });

  test('27: each kind of the product bounds what it takes, and never fails the server', async () => {
    const { namespace } = await stage.newCase('product');
    const kinds = readdirSync(crdFolder)
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => load(readFileSync(join(crdFolder, file), 'utf8')) as Crd);
    for (const crd of kinds) await stage.kube.create(CRDS, crd);
    const counts: Record<string, number> = {};
    for (const crd of kinds) {
      const at = `/apis/${crd.spec.group}/v1alpha1/namespaces/${namespace}/${crd.spec.names.plural}`;
      await until(
        `the kind ${crd.spec.names.kind}`,
        30,
        async () => (await stage.kube.list(at)) && true,
      );
      const fields = Object.keys(specOf(crd));
      const hostileSpec = fc.dictionary(
        fc.oneof(fc.constantFrom(...fields), hostileText),
        fc.oneof(hostileText, fc.integer(), fc.constant(null), fc.array(hostileText), fc.object()),
        { maxKeys: 4 },
      );
      let index = 0;
      await fc.assert(
        fc.asyncProperty(hostileSpec, async (spec) => {
          const code = await tried(at, {
            apiVersion: `${crd.spec.group}/v1alpha1`,
            kind: crd.spec.names.kind,
            metadata: { name: `h${(index += 1)}` },
            spec,
          });
          counts[code] = (counts[code] ?? 0) + 1;
          expect([201, 400, 422]).toContain(code);
        }),
        { numRuns: figure(25, 500), seed: SEED },
      );
      const bloated = Object.fromEntries(fields.map((field) => [field, 'x'.repeat(200_000)]));
      const code = await tried(at, {
        apiVersion: `${crd.spec.group}/v1alpha1`,
        kind: crd.spec.names.kind,
        metadata: { name: 'bloated' },
        spec: bloated,
      });
      expect({ kind: crd.spec.names.kind, code }).toEqual({ kind: crd.spec.names.kind, code: 422 });
    }
    note(27, `${kinds.length} kinds, answers ${JSON.stringify(counts)}`);
    expect(kinds.length).toBeGreaterThanOrEqual(9);
  });
});

type Crd = {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string; readonly kind: string };
    readonly versions: readonly {
      readonly schema: {
        readonly openAPIV3Schema: {
          readonly properties: { readonly spec: { readonly properties?: object } };
        };
      };
    }[];
  };
};

const specOf = (crd: Crd): object =>
  crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {};
