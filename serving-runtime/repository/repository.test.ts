import { beforeEach, describe, expect, test } from '@jest/globals';
import { ModelFailure } from '../model-failure.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import {
  ensembleEntry,
  fakeModel,
  floats,
  onnxEntry,
  times,
  vectors,
} from '../testing/fake-models.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import { indexOf } from './repository-api.ts';
import { ModelRepository } from './repository.ts';

const never = new AbortController().signal;
const refusal = () => undefined;

let catalog: Catalog;
let events: string[];
let closed: string[];
/** What the load of a digest waits for, or fails with. */
let loads: Record<string, Promise<unknown> | Error>;
let dropped: string[];
let repository: ModelRepository;

beforeEach(() => {
  [events, closed, dropped, loads] = [[], [], [], {}];
  // A model of an earlier test may close later.
  const [closedHere, droppedHere] = [closed, dropped];
  let time = 0;
  const metrics = createMetrics({ active: 0, waiting: 0 });
  repository = new ModelRepository({
    readCatalog: async () => catalog,
    now: () => (time += 1000),
    metricsOf: metrics.models.of,
    admitted: () => 0,
    present: { count: 0 },
    onChange: ({ model, version }, { previous, state, previousSeconds }) => {
      events.push(`${model} ${version}: ${previous} ${state} ${String(previousSeconds)}`);
    },
    onRetired: ({ model, version }) => {
      events.push(`${model} ${version}: retired`);
    },
    dropBytes: async (digest) => {
      droppedHere.push(digest);
    },
    stepsOf: ({ digest, model, version }: CatalogEntry) => ({
      fetch: async () => {
        const load = loads[digest];
        if (load instanceof Error) throw load;
        await load;
        return { path: '/cache/m', digest, sizeBytes: 9 };
      },
      open: async () => ({
        ...fakeModel(vectors, () => ({})),
        run: async () => [],
        close: async () => {
          closedHere.push(`session of ${model} ${version}`);
        },
      }),
      warmUp: async () => {
        const load = loads[`warm-up of ${digest}`];
        if (load instanceof Error) throw load;
        const close = async () => {
          closedHere.push(`${model} ${digest}`);
        };
        return { ...times(Number(version)), close };
      },
    }),
  });
});

const ask = async (name: string, version?: string) => {
  const { model } = repository.find(name, version);
  const [y] = await model.run({ refusal, inputs: new Map([['x', floats(10)]]), outputs: ['y'] });
  return y?.data[0];
};

async function start(...entries: Catalog) {
  catalog = entries;
  await repository.start(never);
  events = [];
}

describe('a model', () => {
  test('goes through its states, each with its time, and is found once it is ready', async () => {
    catalog = [onnxEntry('digits', '1')];
    expect(() => repository.find('digits', undefined)).toThrow('no model is known yet');
    const gate = Promise.withResolvers<undefined>();
    loads['sha256:1'] = gate.promise;
    const started = repository.start(never);
    await Promise.resolve().then(() => undefined);
    expect(() => repository.find('digits', undefined)).toThrow('model "digits" is fetching');
    expect(repository.isLoaded('digits', undefined)).toBe(false);
    expect(repository.state).toBe('fetching');
    gate.resolve(undefined);
    await started;
    expect(events).toEqual([
      'digits 1: fetching loading 1',
      'digits 1: loading warming 1',
      'digits 1: warming ready 1',
    ]);
    expect(repository.describe('digits', '1')).toEqual({
      ...{ name: 'digits', versions: ['1'], platform: 'onnx_onnxv1' },
      ...vectors,
      parameters: { digest: 'sha256:1', size_bytes: 9 },
    });
    expect(repository.state).toBe('ready');
  });

  test('of another name or version is unknown', async () => {
    await start(onnxEntry('digits', '1'));
    expect(() => repository.find('letters', undefined)).toThrow(
      'model "letters" is not served here; this is "digits"',
    );
    expect(() => repository.find('digits', '2')).toThrow(
      'version "2" of model "digits" is not served here; this is "1"',
    );
  });

  test('that fails at the start says so and is never found', async () => {
    catalog = [onnxEntry('digits', '1')];
    loads['sha256:1'] = new ModelFailure('InvalidModel', 'broken');
    await expect(repository.start(never)).rejects.toBe(loads['sha256:1']);
    expect(repository.state).toBe('failed');
    expect(() => repository.find('digits', undefined)).toThrow('model "digits" is failed (broken)');
  });

  test('whose warm-up fails is closed and never found', async () => {
    catalog = [onnxEntry('digits', '1')];
    loads['warm-up of sha256:1'] = new Error('cold');
    await expect(repository.start(never)).rejects.toThrow('cold');
    expect(closed).toEqual(['session of digits 1']);
  });

  test('is closed once', async () => {
    await start(onnxEntry('digits', '1'));
    await repository.close();
    await repository.close();
    expect(closed).toEqual(['digits sha256:1']);
  });
});

describe('several versions', () => {
  test('are served side by side; the first listed is the default', async () => {
    await start(onnxEntry('m', '3'), onnxEntry('m', '2'), onnxEntry('other', '7'));
    expect([await ask('m'), await ask('m', '2'), await ask('other')]).toEqual([30, 20, 70]);
    expect(repository.describe('m', '2').versions).toEqual(['3', '2']);
    expect(repository.defaults.map(({ entry }) => entry.model)).toEqual(['m', 'other']);
  });

  test('that are not loaded from the start are loaded on request', async () => {
    await start(onnxEntry('m', '1'), { ...onnxEntry('later', '4'), load: false });
    expect(() => repository.find('later', undefined)).toThrow(
      'model "later" is not loaded; POST /v2/repository/models/later/load loads it',
    );
    await repository.load('later', never);
    expect(await ask('later')).toBe(40);
  });
});

describe('a swap', () => {
  test('leaves the old version answering until the new one is ready, then changes in one step', async () => {
    await start(onnxEntry('m', '1'));
    catalog = [onnxEntry('m', '2')];
    const gate = Promise.withResolvers<undefined>();
    loads['sha256:2'] = gate.promise;
    const loading = repository.load('m', never);
    expect(await ask('m')).toBe(10);
    gate.resolve(undefined);
    await loading;
    expect(await ask('m')).toBe(20);
    expect(() => repository.find('m', '1')).toThrow('version "1" of model "m" is not served here');
  });

  test('closes the old version after its last answer', async () => {
    await start(onnxEntry('m', '1'));
    const { model } = repository.find('m', undefined);
    const release = model.hold();
    catalog = [onnxEntry('m', '2')];
    await repository.load('m', never);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toEqual([]);
    release();
    await model.close();
    expect(closed).toEqual(['m sha256:1']);
    expect(events).toContain('m 1: retired');
    await repository.unload('m');
    expect(dropped).toEqual(['sha256:1']);
  });

  test('that fails says why, closes what it had loaded, and leaves the old version alone', async () => {
    await start(onnxEntry('m', '1'));
    catalog = [onnxEntry('m', '2'), onnxEntry('m', '3')];
    loads['sha256:3'] = new ModelFailure('DigestMismatch', 'the bytes are others');
    await expect(repository.load('m', never)).rejects.toMatchObject({
      code: 'LoadFailed',
      message: '"m" was not loaded: the bytes are others',
    });
    expect(await ask('m')).toBe(10);
    expect(closed).toEqual(['m sha256:2']);
    expect(repository.state).toBe('ready');
  });

  test('of the same version to other bytes that fails keeps the reason in the index', async () => {
    await start(onnxEntry('m', '1'));
    catalog = [onnxEntry('m', '1', 'sha256:new')];
    loads['sha256:new'] = new ModelFailure('InvalidModel', 'broken');
    await expect(repository.load('m', never)).rejects.toThrow('broken');
    expect(indexOf({ repository }, {})).toEqual([
      { name: 'm', version: '1', state: 'READY', reason: 'broken' },
    ]);
  });

  test('does not load again what has not changed', async () => {
    await start(onnxEntry('m', '1'));
    const before = repository.find('m', undefined);
    catalog = [onnxEntry('m', '2'), onnxEntry('m', '1')];
    await repository.load('m', never);
    expect(repository.find('m', '1')).toBe(before);
    expect(await ask('m')).toBe(20);
  });

  test('of a name that is not listed any more is refused', async () => {
    await start(onnxEntry('m', '1'));
    catalog = [onnxEntry('other', '1')];
    await expect(repository.load('m', never)).rejects.toMatchObject({ code: 'UnknownModel' });
    expect(await ask('m')).toBe(10);
  });
});

describe('an unload', () => {
  test('ends a model, which is then listed as unloaded and can come back', async () => {
    await start(onnxEntry('m', '1'), onnxEntry('other', '2'));
    await repository.unload('m');
    await repository.unload('m');
    expect(() => repository.find('m', undefined)).toThrow('is not loaded');
    expect(indexOf({ repository }, {})).toEqual([
      { name: 'm', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
      { name: 'other', version: '2', state: 'READY', reason: '' },
    ]);
    expect(indexOf({ repository }, { ready: true })).toHaveLength(1);
    await repository.load('m', never);
    expect(await ask('m')).toBe(10);
  });

  test('of an unknown name is refused', async () => {
    await start(onnxEntry('m', '1'));
    await expect(repository.unload('z')).rejects.toMatchObject({ code: 'UnknownModel' });
  });
});

describe('an ensemble', () => {
  const both = { parallel: [{ model: 'a' }, { model: 'b' }], combine: 'mean' as const };

  test('is served as one model, and loads what it needs', async () => {
    const unasked = { ...onnxEntry('b', '3'), load: false };
    await start(ensembleEntry('both', both), onnxEntry('a', '1'), unasked);
    expect(await ask('both')).toBe(20);
    expect(repository.describe('both', undefined)).toMatchObject({
      ...{ platform: 'ensemble', ...vectors, parameters: { size_bytes: 18 } },
    });
  });

  test('is built anew when a member is swapped, and keeps the old one until its last answer', async () => {
    await start(onnxEntry('a', '1'), onnxEntry('b', '3'), ensembleEntry('both', both));
    catalog = [onnxEntry('a', '5'), onnxEntry('b', '3'), ensembleEntry('both', both)];
    await repository.load('a', never);
    expect(await ask('both')).toBe(40);
    await repository.close();
    expect(closed.toSorted()).toEqual(['a sha256:1', 'a sha256:5', 'b sha256:3']);
  });

  test('that needs a model keeps it from being unloaded, unless both go', async () => {
    await start(onnxEntry('a', '1'), onnxEntry('b', '3'), ensembleEntry('both', both));
    await expect(repository.unload('a')).rejects.toMatchObject({
      code: 'Conflict',
      message: 'ensemble "both" needs it; unload that first',
    });
    await repository.unload('both', { dependents: true });
    expect(indexOf({ repository }, { ready: true })).toEqual([]);
  });

  test('whose member is missing, or is an ensemble, is not loaded', async () => {
    await start(onnxEntry('a', '1'));
    catalog = [onnxEntry('a', '1'), ensembleEntry('both', both)];
    await expect(repository.load('both', never)).rejects.toMatchObject({
      code: 'LoadFailed',
      message: expect.stringContaining(
        'ensemble "both" needs model "b", which is no model that is loaded',
      ) as unknown,
    });
    expect(await ask('a')).toBe(10);
  });
});
