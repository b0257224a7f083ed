import { describe, expect, test } from '@jest/globals';
import { ALIAS_NAME, EXPERIMENT_NAME, MODEL_NAME, objectNameFor } from './object-names.ts';

describe('the object’s name for a client’s name', () => {
  test.each(['iris', 'a', '0', 'x'.repeat(52)])(
    'is the name itself where it can be: %s',
    (name) => {
      expect(objectNameFor(name, EXPERIMENT_NAME)).toBe(name);
    },
  );

  // The hashes are `printf %s NAME | sha256sum | cut -c1-10`.
  test.each([
    ['My Model', 'my-model-e84ac3f683'],
    ['../../etc', 'etc-74ccf3c5b4'],
    ['模型', 'x-c98e118e0a'],
  ])('is a slug and a hash of %s', (name, made) => {
    expect(objectNameFor(name, MODEL_NAME)).toBe(made);
  });

  test('fits, however long the client’s is', () => {
    const made = objectNameFor('Ünder Wäter '.repeat(100), EXPERIMENT_NAME);
    expect(made.length).toBeLessThanOrEqual(52);
    expect(made).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
  });

  test('differs for names that look alike', () => {
    expect(objectNameFor('My Model', MODEL_NAME)).not.toBe(objectNameFor('my model', MODEL_NAME));
  });

  test.each(['1', 'v1', 'latest', 'Champ_1'])('of an alias is no reserved word: %s', (alias) => {
    expect(objectNameFor(alias, ALIAS_NAME)).toMatch(/-[0-9a-f]{10}$/);
  });
});
