import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';

import { run } from './command.ts';
import type { Progress } from './progress.ts';

/** A Debian package and a file that proves it is there, whoever put it there. */
export type DebianPackage = { readonly name: string; readonly proof: readonly string[] };

export const clusterPackages: readonly DebianPackage[] = [
  { name: 'containerd', proof: ['/usr/bin/containerd'] },
  { name: 'runc', proof: ['/usr/sbin/runc', '/usr/bin/runc'] },
  { name: 'containernetworking-plugins', proof: ['/usr/lib/cni/ptp'] },
  { name: 'iptables', proof: ['/usr/sbin/iptables'] },
  { name: 'conntrack', proof: ['/usr/sbin/conntrack'] },
  { name: 'iproute2', proof: ['/usr/sbin/ip', '/sbin/ip'] },
  { name: 'openssl', proof: ['/usr/bin/openssl'] },
  { name: 'ca-certificates', proof: ['/etc/ssl/certs/ca-certificates.crt'] },
];

export const imagePackages: readonly DebianPackage[] = [
  { name: 'buildah', proof: ['/usr/bin/buildah'] },
  { name: 'debootstrap', proof: ['/usr/sbin/debootstrap'] },
];

export const postgresPackages: readonly DebianPackage[] = [
  { name: 'postgresql-15', proof: ['/usr/lib/postgresql/15/bin/postgres'] },
];

/** What puts load on servers. */
export const loadPackages: readonly DebianPackage[] = [
  { name: 'wrk', proof: ['/usr/bin/wrk'] },
  { name: 'nghttp2-client', proof: ['/usr/bin/h2load'] },
];

const policyFile = '/usr/sbin/policy-rc.d';

/** Installs what is missing, and keeps Debian from starting any service it brings along. */
export async function installPackages(
  progress: Progress,
  packages: readonly DebianPackage[],
  logFile: string,
): Promise<void> {
  const missing = packages.filter((wanted) => !wanted.proof.some((file) => existsSync(file)));
  if (missing.length === 0) return;
  const names = missing.map((wanted) => wanted.name);
  await progress.step(`installing ${names.join(', ')} with apt-get`, async () => {
    const options = { logFile, env: { DEBIAN_FRONTEND: 'noninteractive' } };
    await run('apt-get', ['update', '-q'], options);
    await withServicesHeldBack(() =>
      run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...names], options),
    );
  });
}

async function withServicesHeldBack<T>(work: () => Promise<T>): Promise<T> {
  if (existsSync(policyFile)) return work();
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n');
  chmodSync(policyFile, 0o755);
  try {
    return await work();
  } finally {
    rmSync(policyFile, { force: true });
  }
}
