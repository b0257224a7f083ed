import { expect, test } from '@jest/globals';
import { FeatureSketch } from '../../../serving-runtime/sketches/feature-sketch.ts';
import { DatabaseUnavailable } from '../../store/database-error.ts';
import { memoryLabelStore } from '../../store/memory-labels.ts';
import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import { ownDataReader, type OwnDataQuestion } from './own-data.ts';

const QUESTION: OwnDataQuestion = {
  ...{ deployment: { namespace: 'demo', name: 'digits' }, versions: ['1.0.0', '1.1.0'] },
  ...{ since: '2026-02-01T12:00:00Z', errors: { output: undefined }, drift: { role: 'output' } },
};
const signal = new AbortController().signal;

const opened = () => {
  const predictions = memoryPredictionStore();
  const looks: string[] = [];
  const watched = {
    sketchesAfter: (...[key, question]: Parameters<typeof predictions.sketchesAfter>) => {
      looks.push(question.after);
      return predictions.sketchesAfter(key, question);
    },
  };
  const labels = memoryLabelStore(predictions);
  let batches = 0;
  const write = (sketch: string) =>
    predictions.append(QUESTION.deployment, {
      ...{ batchId: String(batches++), predictions: [] },
      sketches: [
        {
          ...{ version: '1.1.0', role: 'output', feature: 'Y', windowMs: 60_000, sketch },
          windowStart: '2026-02-01T12:01:00Z',
        },
      ],
    });
  return { labels, looks, write, reader: ownDataReader({ labels, predictions: watched }) };
};

const sketchOf = (...values: readonly number[]): string => {
  const sketch = new FeatureSketch();
  for (const value of values) sketch.addNumber(value);
  return JSON.stringify(sketch.summary());
};

test('each sketch is read once, and those of all windows are merged', async () => {
  const { reader, write, looks } = opened();
  expect(reader.latest('uid', QUESTION)).toBeUndefined();
  await write(sketchOf(1, 2));
  await reader.read('uid', QUESTION, signal);
  await write(sketchOf(3));
  await reader.read('uid', QUESTION, signal);
  const found = reader.latest('uid', QUESTION)?.distributions?.get('1.1.0')?.get('Y');
  expect(found).toMatchObject({ count: 3, numbers: { min: 1, max: 3 } });
  expect(looks).toEqual(['0', '1', '1', '2']);
});

test('another question begins anew, and what was found for the one before is no answer to it', async () => {
  const { reader, write } = opened();
  await write(sketchOf(1));
  await reader.read('uid', QUESTION, signal);
  const later = { ...QUESTION, since: '2026-02-01T12:05:00Z' };
  expect(reader.latest('uid', later)).toBeUndefined();
  await reader.read('uid', later, signal);
  expect(reader.latest('uid', later)?.distributions?.size).toBe(0);
  reader.forget('uid');
  expect(reader.latest('uid', later)).toBeUndefined();
});

test('text that is no sketch is counted and left out', async () => {
  const { reader, write } = opened();
  await write('{"count":-');
  await write(sketchOf(1));
  await reader.read('uid', QUESTION, signal);
  const { unreadable, distributions } = reader.latest('uid', QUESTION) ?? {};
  expect({ unreadable, versions: distributions?.size }).toEqual({ unreadable: 1, versions: 1 });
});

test('while the database does not answer it says so, and afterwards goes on', async () => {
  const { labels, write } = opened();
  const predictions = memoryPredictionStore();
  let isAway = true;
  const reader = ownDataReader({
    predictions,
    labels: {
      ...labels,
      errors: async (...asked) => {
        if (isAway) throw new DatabaseUnavailable('read prediction errors', new Error('gone'));
        return labels.errors(...asked);
      },
    },
  });
  await write(sketchOf(1));
  await reader.read('uid', QUESTION, signal);
  expect(reader.latest('uid', QUESTION)).toEqual({
    failed: 'The database could not read prediction errors: gone',
  });
  isAway = false;
  await reader.read('uid', QUESTION, signal);
  expect(reader.latest('uid', QUESTION)?.errors?.waiting).toBe(0);
});

test('what an aborted read found is not taken', async () => {
  const { reader } = opened();
  await expect(reader.read('uid', QUESTION, AbortSignal.abort(new Error('old')))).rejects.toThrow(
    'old',
  );
  expect(reader.latest('uid', QUESTION)).toBeUndefined();
});
