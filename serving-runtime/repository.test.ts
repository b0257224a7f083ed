import { describe, expect, test } from '@jest/globals';
import { ModelFailure } from './model-failure.ts';
import type { LoadSteps } from './repository.ts';
import { ModelRepository } from './repository.ts';

const identity = { model: 'digits', version: '1.0.0' };
const signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 64] }],
  outputs: [{ name: 'y', datatype: 'INT64', shape: [-1] }],
} as const;

function repositoryWith(changes: Partial<LoadSteps> = {}) {
  const changesSeen: string[] = [];
  const closed: string[] = [];
  let time = 0;
  const session = {
    signature,
    run: async () => [],
    close: async () => {
      closed.push('session');
    },
  };
  const repository = new ModelRepository(
    identity,
    {
      fetch: async () => ({ path: '/cache/m', digest: 'sha256:aa', sizeBytes: 9 }),
      open: async () => session,
      warmUp: async () => session,
      ...changes,
    },
    () => (time += 1000),
    ({ previous, state, previousSeconds }) => {
      changesSeen.push(`${previous} ${state} ${String(previousSeconds)}`);
    },
  );
  return { repository, changesSeen, closed };
}

const never = new AbortController().signal;

describe('a model', () => {
  test('goes through its states, each with its time, and is found once it is ready', async () => {
    const { repository, changesSeen } = repositoryWith();
    expect(() => repository.find('digits', undefined)).toThrow('model "digits" is fetching');
    await repository.load(never);
    expect(changesSeen).toEqual(['fetching loading 1', 'loading warming 1', 'warming ready 1']);
    expect(repository.find('digits', '1.0.0').metadata).toEqual({
      name: 'digits',
      versions: ['1.0.0'],
      platform: 'onnx_onnxv1',
      ...signature,
      parameters: { digest: 'sha256:aa', size_bytes: 9 },
    });
  });

  test('of another name or version is unknown', () => {
    const { repository } = repositoryWith();
    expect(() => repository.find('letters', undefined)).toThrow('model "letters" is not served');
    expect(() => repository.find('digits', '2.0.0')).toThrow('version "2.0.0" of model "digits"');
  });

  test('that fails says so and is never found', async () => {
    const failure = new ModelFailure('InvalidModel', 'broken');
    const { repository, changesSeen } = repositoryWith({ open: () => Promise.reject(failure) });
    await expect(repository.load(never)).rejects.toBe(failure);
    expect(repository.state).toBe('failed');
    expect(changesSeen).toEqual(['fetching loading 1', 'loading failed 1']);
    expect(() => repository.find('digits', undefined)).toThrow('model "digits" is failed');
  });

  test('whose warm-up fails is closed and never found', async () => {
    const { repository, closed } = repositoryWith({
      warmUp: () => Promise.reject(new Error('cold')),
    });
    await expect(repository.load(never)).rejects.toThrow('cold');
    expect(closed).toEqual(['session']);
  });

  test('is closed once', async () => {
    const { repository, closed } = repositoryWith();
    await repository.load(never);
    await repository.close();
    await repository.close();
    expect(closed).toEqual(['session']);
  });
});
