import { expect, test } from '@jest/globals';

import { freeRelease, type Helm } from './helm-release.ts';

test.each([
  ['deployed', []],
  ['failed', []],
  ['pending-install', ['uninstall istiod --namespace istio-system']],
  ['pending-upgrade', ['rollback istiod --namespace istio-system']],
  ['pending-rollback', ['rollback istiod --namespace istio-system']],
])('frees a release that is %s', async (status, wanted) => {
  const said: string[] = [];
  await freeRelease(answering([{ status }], said), 'istiod', 'istio-system');
  expect(said).toEqual(wanted);
});

test('has nothing to free where there is no release', async () => {
  const said: string[] = [];
  await freeRelease(answering([], said), 'istiod', 'istio-system');
  expect(said).toEqual([]);
});

/** Answers `list`, and notes every other command. */
function answering(releases: readonly { readonly status: string }[], said: string[]): Helm {
  return async (args) => {
    if (args[0] === 'list') return JSON.stringify(releases);
    said.push(args.join(' '));
    return '';
  };
}
