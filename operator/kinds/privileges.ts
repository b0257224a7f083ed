import type { Container, PodSpec } from './kubernetes-objects.ts';

const HOST_FIELDS = ['hostNetwork', 'hostPID', 'hostIPC'] as const;

/**
 * What of a pod reaches beyond its namespace or its container, by field; undefined when nothing does.
 * Pod Security admission refuses most of it where it is switched on; this holds where it is not.
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export const privilegeAskedFor = (spec: PodSpec): string | undefined =>
  HOST_FIELDS.find((field) => spec[field] === true) ??
  hostPathOf(spec) ??
  [...spec.containers, ...(spec.initContainers ?? [])]
    .map(privilegeOf)
    .find((found) => found !== undefined);

const hostPathOf = ({ volumes }: PodSpec): string | undefined => {
  const found = volumes?.find((volume) => volume['hostPath'] !== undefined);
  return found === undefined ? undefined : `a hostPath (volume ${found.name})`;
};

const privilegeOf = ({ name, securityContext = {}, ports }: Container): string | undefined => {
  const { privileged, allowPrivilegeEscalation, capabilities, procMount } = securityContext;
  const added = (capabilities as { readonly add?: readonly string[] } | undefined)?.add ?? [];
  const words = (what: string): string => `${what} (container ${name})`;
  if (privileged === true) return words('securityContext.privileged');
  if (allowPrivilegeEscalation === true) return words('allowPrivilegeEscalation');
  if (added.some((each) => each !== 'NET_BIND_SERVICE')) return words('added capabilities');
  if (procMount === 'Unmasked') return words('procMount: Unmasked');
  const hostPort =
    Array.isArray(ports) && ports.some((each: { readonly hostPort?: unknown }) => each.hostPort);
  return hostPort ? words('a hostPort') : undefined;
};
