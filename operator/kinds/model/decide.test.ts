import { describe, expect, test } from '@jest/globals';

import { aReadyVersion, aVersion, anAlias } from '../testing/builders.ts';
import { decide } from './decide.ts';

describe('a Model', () => {
  test('is Ready without versions, and says how to get one', () => {
    expect(decide({ versions: [], aliases: [] })).toEqual({
      status: { versions: 0, aliases: [] },
      progress: 'settled',
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Accepted',
          message:
            'The Model has no versions yet; an Experiment with register or a ModelVersion adds one.',
        },
      ],
    });
  });

  test('counts all versions, but only those that are Ready can be the latest', () => {
    const versions = [aReadyVersion('1.2.0'), aReadyVersion('1.10.0'), aVersion('2.0.0')];
    expect(decide({ versions, aliases: [] }).status).toEqual({
      versions: 3,
      latestVersion: '1.10.0',
      aliases: [],
    });
  });

  test('prefers a release to a later prerelease', () => {
    const versions = [aReadyVersion('1.0.0'), aReadyVersion('2.0.0-rc.1')];
    expect(decide({ versions, aliases: [] }).status).toMatchObject({ latestVersion: '1.0.0' });
  });

  test('shows a prerelease where there is no release', () => {
    const versions = [aReadyVersion('1.0.0-rc.2'), aReadyVersion('1.0.0-rc.10')];
    expect(decide({ versions, aliases: [] }).status).toMatchObject({
      latestVersion: '1.0.0-rc.10',
    });
  });

  test('lists its aliases by name', () => {
    const aliases = [anAlias('staging', '1.1.0'), anAlias('champion', '1.0.0')];
    expect(decide({ versions: [], aliases }).status).toMatchObject({
      aliases: [
        { name: 'champion', version: '1.0.0' },
        { name: 'staging', version: '1.1.0' },
      ],
    });
  });
});
