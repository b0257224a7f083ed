import { describe, expect, test } from '@jest/globals';

import { conditionOf, aReadyVersion, aVersion, anAlias } from '../testing/builders.ts';
import { decide } from './decide.ts';

describe('a ModelAlias', () => {
  test('is Ready when its version is', () => {
    const outcome = decide({
      alias: anAlias('champion', '1.0.0'),
      modelExists: true,
      version: aReadyVersion('1.0.0'),
    });
    expect(outcome.progress).toBe('settled');
    expect(outcome.status).toEqual({ version: '1.0.0', modelVersionName: 'digits-1.0.0' });
    expect(outcome.conditions).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'Ready',
        message: 'champion is version 1.0.0 (ModelVersion digits-1.0.0).',
      },
    ]);
  });

  test("waits for a version that is not Ready, in that version's words", () => {
    const version = aVersion('1.0.0', {
      status: { conditions: [conditionOf('Ready', 'False', 'DigestMismatch', 'other bytes')] },
    });
    const outcome = decide({ alias: anAlias('champion', '1.0.0'), modelExists: true, version });
    expect(outcome.progress).toBe('working');
    expect(outcome.conditions[0]).toMatchObject({
      reason: 'WaitingForVersion',
      message: 'ModelVersion digits-1.0.0 is not Ready (DigestMismatch: other bytes).',
    });
  });

  test('says which of the two is missing, the Model or the version', () => {
    const alias = anAlias('champion', '3.0.0');
    const noVersion = decide({ alias, modelExists: true, version: undefined });
    const noModel = decide({ alias, modelExists: false, version: undefined });
    expect(noVersion.conditions[0]).toMatchObject({ reason: 'VersionNotFound' });
    expect(noModel.conditions[0]).toMatchObject({ reason: 'ModelNotFound' });
  });

  test('refuses a Model of another namespace', () => {
    const alias = anAlias('champion', '1.0.0', {
      modelRef: { name: 'digits', namespace: 'team-b' },
    });
    const outcome = decide({ alias, modelExists: true, version: undefined });
    expect(outcome.progress).toBe('stalled');
    expect(outcome.conditions[0]).toMatchObject({ status: 'False', reason: 'NotShared' });
  });
});
