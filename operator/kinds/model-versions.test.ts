import { describe, expect, test } from '@jest/globals';

import { holderOf, latestOf, nextVersion, sameVersion } from './model-versions.ts';
import { aVersion } from './testing/builders.ts';

describe('versions of a model', () => {
  test.each([
    ['major', '2.0.0'],
    ['minor', '1.11.0'],
    ['patch', '1.10.1'],
  ] as const)('are raised from the highest one: %s', (bump, want) => {
    expect(nextVersion(['1.2.0', '1.10.0', '0.9.9'], bump)).toBe(want);
  });

  test('start at 1.0.0', () => {
    expect(nextVersion([], 'minor')).toBe('1.0.0');
  });

  test('follow a prerelease with its release', () => {
    expect(nextVersion(['1.2.0-rc.1'], 'minor')).toBe('1.2.0');
  });

  test('are the same when only build metadata differs', () => {
    expect(sameVersion('1.0.0+a', '1.0.0+b')).toBe(true);
    expect(sameVersion('1.0.0-a', '1.0.0-b')).toBe(false);
  });

  test('have no latest where there is none', () => {
    expect(latestOf([])).toBeUndefined();
  });

  test('belong to the object that was there first', () => {
    const older = aVersion('1.0.0+b', {
      name: 'z',
      metadata: { creationTimestamp: '2026-03-01T09:00:00Z' },
    });
    const newer = aVersion('1.0.0+a', { name: 'a' });
    expect(holderOf([newer, older], '1.0.0')?.metadata.name).toBe('z');
  });

  test('belong to the lower uid when both came in the same second', () => {
    const one = aVersion('1.0.0', { name: 'one', metadata: { uid: '2' } });
    const two = aVersion('1.0.0', { name: 'two', metadata: { uid: '1' } });
    expect(holderOf([one, two], '1.0.0')?.metadata.name).toBe('two');
  });
});
