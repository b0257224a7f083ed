import { describe, expect, test } from '@jest/globals';
import type { PodSpec } from './kubernetes-objects.ts';
import { privilegeAskedFor } from './privileges.ts';

const pod = (container: object, spec: object = {}): PodSpec => ({
  containers: [{ name: 'train', ...container }],
  ...spec,
});
const secured = (securityContext: object): PodSpec => pod({ securityContext });

describe('privileges', () => {
  // The baseline of the Pod Security Standards.
  test.each<[string, PodSpec, string]>([
    ['the host network', pod({}, { hostNetwork: true }), 'hostNetwork'],
    ['processes of the host', pod({}, { hostPID: true }), 'hostPID'],
    [
      'a path of the host',
      pod({}, { volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
      'a hostPath (volume v)',
    ],
    [
      'a privileged container',
      secured({ privileged: true }),
      'securityContext.privileged (container train)',
    ],
    [
      'escalation',
      secured({ allowPrivilegeEscalation: true }),
      'allowPrivilegeEscalation (container train)',
    ],
    [
      'capabilities',
      secured({ capabilities: { add: ['SYS_ADMIN'] } }),
      'added capabilities (container train)',
    ],
    ['procMount', secured({ procMount: 'Unmasked' }), 'procMount: Unmasked (container train)'],
    [
      'a port of the host',
      pod({ ports: [{ containerPort: 80, hostPort: 80 }] }),
      'a hostPort (container train)',
    ],
    [
      'an init container with privileges',
      pod({}, { initContainers: [{ name: 'init', securityContext: { privileged: true } }] }),
      'securityContext.privileged (container init)',
    ],
  ])('are seen: %s', (_what, spec, want) => {
    expect(privilegeAskedFor(spec)).toBe(want);
  });

  test('are not seen where there are none', () => {
    const spec = pod(
      {
        ports: [{ containerPort: 80 }],
        securityContext: { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
      },
      { hostNetwork: false, volumes: [{ name: 'v', emptyDir: {} }] },
    );
    expect(privilegeAskedFor(spec)).toBeUndefined();
  });
});
