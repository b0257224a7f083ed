import type { ChildDefaults } from './ports.ts';
import type { Container, PodSpec, Volume, VolumeMount } from './kubernetes-objects.ts';

export const SCRATCH_VOLUME = 'mlops-tmp';

/** What any pod of ours gets from the installation. */
export type PodDefaults = Pick<
  ChildDefaults,
  'imagePullSecrets' | 'globalRegistry' | 'defaultResources'
>;

/**
 * Fills in what Pod Security `restricted`, ResourceQuota and a read-only image need, wherever the
 * author of the template left it open; what the author wrote stays. No user id is invented: an image
 * that runs as root is refused by the kubelet, which says so.
 */
export const restrictedPod = (spec: PodSpec, defaults: PodDefaults): PodSpec => ({
  ...spec,
  ...containersOf(spec, defaults),
  ...pullSecretsOf(spec, defaults),
  securityContext: {
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
    ...spec.securityContext,
  },
  volumes: volumesOf(spec),
});

const containersOf = (
  spec: PodSpec,
  defaults: PodDefaults,
): Pick<PodSpec, 'containers' | 'initContainers'> => {
  const fill = (container: Container) => restrictedContainer(container, defaults);
  return {
    containers: spec.containers.map(fill),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(fill) }),
  };
};

const restrictedContainer = (container: Container, defaults: PodDefaults): Container => ({
  ...container,
  ...(container.image === undefined
    ? {}
    : { image: withRegistry(container.image, defaults.globalRegistry) }),
  ...(hasScratch(container)
    ? {}
    : {
        volumeMounts: [
          ...(container.volumeMounts ?? []),
          { name: SCRATCH_VOLUME, mountPath: '/tmp' } satisfies VolumeMount,
        ],
      }),
  env: hasHome(container)
    ? (container.env ?? [])
    : [...(container.env ?? []), { name: 'HOME', value: '/tmp' }],
  resources: hasResources(container) ? container.resources : defaults.defaultResources,
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    ...container.securityContext,
  },
});

const hasScratch = ({ volumeMounts = [] }: Container): boolean =>
  volumeMounts.some(({ mountPath }) => mountPath.replace(/\/+$/, '') === '/tmp');

const hasHome = ({ env = [] }: Container): boolean => env.some(({ name }) => name === 'HOME');

const hasResources = (
  container: Container,
): container is Container & Required<Pick<Container, 'resources'>> =>
  Object.keys(container.resources?.requests ?? {}).length > 0 ||
  Object.keys(container.resources?.limits ?? {}).length > 0;

const volumesOf = ({
  containers,
  initContainers = [],
  volumes = [],
}: PodSpec): readonly Volume[] =>
  [...containers, ...initContainers].every(hasScratch)
    ? volumes
    : [...volumes, { name: SCRATCH_VOLUME, emptyDir: {} }];

const pullSecretsOf = (
  { imagePullSecrets = [] }: PodSpec,
  defaults: PodDefaults,
): Pick<PodSpec, 'imagePullSecrets'> => {
  const names = [...imagePullSecrets.map(({ name }) => name), ...defaults.imagePullSecrets];
  return names.length === 0
    ? {}
    : { imagePullSecrets: [...new Set(names)].map((name) => ({ name })) };
};

/** An image reference whose first part has a dot or a port, or is localhost, names its registry. */
export const withRegistry = (image: string, registry: string | undefined): string => {
  if (registry === undefined || registry === '') return image;
  const [first = '', ...rest] = image.split('/');
  const named = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return named ? image : `${registry.replace(/\/+$/, '')}/${image}`;
};
