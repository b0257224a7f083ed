import { modelVersion } from '../../../crds/schema/model-version.ts';
import { ownType } from '../../runtime/own-type.ts';
import { apiFixture, given, person, trialPod } from './api-fixture.ts';

/**
 * The API on ports in memory, for clients of other languages: prints one line of JSON that says
 * where it listens, how to log in, and which Experiment and run are there; ends with its input.
 */
const fixture = await apiFixture({ config: { maxArtifactBytes: 8 * 1024 * 1024 } });
const experiment = await given(fixture, 'Experiment', { namespace: 'demo', name: 'digits-train' });
await given(fixture, 'Experiment', { namespace: 'other', name: 'secret' });
const { authorization } = await trialPod(fixture, 'demo', 'digits-train');
person(fixture, 'ada');
// A service account of the namespace, which may do everything.
const everything = 'system:serviceaccount:demo:ci';
fixture.cluster.tokens.set('ci', { user: { username: everything }, audiences: [] });
fixture.cluster.allows = (user) => user === everything;
void verifyVersions();
setInterval(() => fixture.pass(1000), 1000).unref();
const { runId } = await fixture.runs.createTrial({
  experiment: { uid: experiment.metadata.uid ?? '', namespace: 'demo', name: 'digits-train' },
  number: 0,
  name: 'digits-train-0',
  parameters: {},
});
const url = await fixture.app.listen({ host: '127.0.0.1', port: 0 });
const token = authorization.replace('Bearer ', '');
process.stdout.write(
  `${JSON.stringify({ url, token, runId, experimentId: experiment.metadata.uid })}\n`,
);
process.stdin.resume();
process.stdin.on('end', () => void fixture.app.close());

/** The controller's part: it has read the bytes of every version. */
async function verifyVersions(): Promise<void> {
  const type = ownType(modelVersion);
  const { signal } = new AbortController();
  const options = { resourceVersion: '0', timeoutSeconds: 3600, signal };
  for await (const { type: event, object } of fixture.cluster.watch(type, options)) {
    if (event !== 'ADDED') continue;
    const { name = '', namespace = '' } = (
      object as { metadata: { name?: string; namespace?: string } }
    ).metadata;
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Verified', message: '' }];
    await fixture.cluster.patch(
      type,
      { namespace, name },
      [{ op: 'add', path: '/status', value: { conditions } }],
      { fieldManager: 'test' },
    );
  }
}
