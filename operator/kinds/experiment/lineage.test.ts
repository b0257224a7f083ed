import { describe, expect, test } from '@jest/globals';
import { inputTags } from '../../api/tracking/run-inputs.ts';
import type { Job, Pod } from '../kubernetes-objects.ts';
import { anExperiment } from '../testing/an-experiment.ts';
import { INPUT_TAG } from './artifact-record.ts';
import { lineageOf } from './lineage.ts';
import { imageOf } from './run-image.ts';
import { aSearch } from './testing/search-world.ts';

const HEX = 'a'.repeat(64);
const dataset = (name: string, digest: string, schema = '') =>
  inputTags({ dataset: { dataset: { name, digest, schema } } });
const run = (more: object = {}) => ({ params: {}, tags: {}, ...more });

describe('the lineage of a run', () => {
  test('of a search holds its parameters and the seed of the search', () => {
    const assignments = [{ name: 'lr', value: '0.1' }];
    const image = `trainer@sha256:${HEX}`;
    expect(lineageOf(aSearch(), run({ image, params: { seed: '9' } }), assignments)).toEqual({
      ...{ parameters: assignments, seed: '7', image },
    });
  });

  test('of a single training holds the parameters and the seed it logged', () => {
    const params = { lr: '0.1', random_state: '42', long: 'x'.repeat(4097) };
    expect(lineageOf(anExperiment(), run({ params }), undefined)).toEqual({
      parameters: [
        { name: 'lr', value: '0.1' },
        { name: 'random_state', value: '42' },
      ],
      seed: '42',
    });
    expect(lineageOf(anExperiment(), run(), undefined)).toEqual({});
  });

  test('names each dataset once, however long its record is', () => {
    const tags = {
      ...dataset('train', 'd1', 'x'.repeat(20_000)),
      ...dataset('test', 'd2'),
      ...dataset('train', 'd1'),
      ...dataset('y'.repeat(501), 'd3'),
      ...inputTags({ model: { model_id: 'm-1' } }),
    };
    expect(lineageOf(anExperiment(), run({ tags }), undefined).datasets).toEqual([
      { name: 'test', digest: 'd2' },
      { name: 'train', digest: 'd1' },
    ]);
  });

  test('leaves out a record that was written by halves', () => {
    const tags = { ...dataset('test', 'd2'), [`${INPUT_TAG}f.000`]: '{"dataset":{"data' };
    expect(lineageOf(anExperiment(), run({ tags }), undefined).datasets).toEqual([
      { name: 'test', digest: 'd2' },
    ]);
  });
});

describe('the image of a run', () => {
  const job = { spec: { template: { spec: { containers: [{ name: 'train' }] } } } };
  const of = (name: string, imageID: string) =>
    imageOf(anExperiment(), {
      job: job as unknown as Job,
      pods: [{ status: { containerStatuses: [{ name, imageID }] } }] as unknown as readonly Pod[],
    });

  test.each([
    // containerd, cri-dockerd, and one that was loaded onto the node.
    [`docker.io/library/python@sha256:${HEX}`, `docker.io/library/python@sha256:${HEX}`],
    [`docker-pullable://python@sha256:${HEX}`, `python@sha256:${HEX}`],
    [`docker://sha256:${HEX}`, `sha256:${HEX}`],
    [`sha256:${HEX}`, `sha256:${HEX}`],
  ])('%s is %s', (imageID, image) => {
    expect(of('train', imageID)).toBe(image);
  });

  test.each([
    ['train', ''],
    ['train', 'python:3.13'],
    ['sidecar', `sha256:${HEX}`],
  ])('of container %s with %j is not known', (name, imageID) => {
    expect(of(name, imageID)).toBeUndefined();
  });
});
