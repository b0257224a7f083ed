import { describe, expect, test } from '@jest/globals';

import { restrictedPod, withRegistry } from './restricted-pod.ts';

const defaults = {
  imagePullSecrets: ['mirror'],
  globalRegistry: 'registry.example.com',
  defaultResources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
};

describe('a restricted pod', () => {
  test('gets everything Pod Security restricted and a quota ask for', () => {
    const pod = restrictedPod({ containers: [{ name: 'train', image: 'trainer:1' }] }, defaults);
    expect(pod).toEqual({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      imagePullSecrets: [{ name: 'mirror' }],
      containers: [
        {
          name: 'train',
          image: 'registry.example.com/trainer:1',
          env: [{ name: 'HOME', value: '/tmp' }],
          resources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [{ name: 'mlops-tmp', mountPath: '/tmp' }],
        },
      ],
      volumes: [{ name: 'mlops-tmp', emptyDir: {} }],
    });
  });

  test('keeps what its author wrote', () => {
    const container = {
      name: 'train',
      image: 'ghcr.io/team/trainer:1',
      env: [{ name: 'HOME', value: '/home/me' }],
      resources: { requests: { cpu: '2' } },
      securityContext: { allowPrivilegeEscalation: true, capabilities: { add: ['SYS_PTRACE'] } },
      volumeMounts: [{ name: 'mine', mountPath: '/tmp/' }],
    };
    const pod = restrictedPod(
      {
        containers: [container],
        imagePullSecrets: [{ name: 'mine' }, { name: 'mirror' }],
        securityContext: { runAsNonRoot: false, runAsUser: 0 },
        volumes: [{ name: 'mine', emptyDir: {} }],
      },
      defaults,
    );
    expect(pod.containers).toEqual([container]);
    expect(pod.volumes).toEqual([{ name: 'mine', emptyDir: {} }]);
    expect(pod.imagePullSecrets).toEqual([{ name: 'mine' }, { name: 'mirror' }]);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: false, runAsUser: 0 });
  });

  test('covers init containers too', () => {
    const pod = restrictedPod(
      { containers: [{ name: 'a' }], initContainers: [{ name: 'b' }] },
      { ...defaults, imagePullSecrets: [] },
    );
    expect(pod.initContainers?.[0]).toMatchObject({
      securityContext: { allowPrivilegeEscalation: false },
    });
    expect(pod.imagePullSecrets).toBeUndefined();
  });

  test.each([
    ['trainer', 'mirror.example.com/trainer'],
    ['team/trainer:1', 'mirror.example.com/team/trainer:1'],
    ['ghcr.io/team/trainer', 'ghcr.io/team/trainer'],
    ['localhost/trainer', 'localhost/trainer'],
    ['registry:5000/trainer', 'registry:5000/trainer'],
  ])('takes %s from %s', (image, want) => {
    expect(withRegistry(image, 'mirror.example.com/')).toBe(want);
  });

  test('leaves images alone where no registry is set', () => {
    expect(withRegistry('trainer', undefined)).toBe('trainer');
  });
});
