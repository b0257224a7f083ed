import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';

type Leaf = {
  readonly name: string;
  readonly commonName: string;
  readonly organization?: string;
  readonly authority: 'ca' | 'front-proxy-ca';
  /** `IP:…` and `DNS:…` entries for servers. */
  readonly names?: readonly string[];
};

/** A client or server identity in PEM, and the authority that vouches for the other side. */
export type Identity = { readonly ca: string; readonly certificate: string; readonly key: string };

const serviceNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];

function leaves(nodeAddress: string, nodeName: string): readonly Leaf[] {
  const addresses = [nodeAddress, '198.18.0.1', '127.0.0.1'].map((address) => `IP:${address}`);
  const names = [...serviceNames, `${serviceNames[2]}.cluster.local`, 'localhost'];
  const component = (name: string): Leaf => ({
    name,
    commonName: `system:${name}`,
    authority: 'ca',
  });
  return [
    {
      name: 'apiserver',
      commonName: 'kube-apiserver',
      authority: 'ca',
      names: [...addresses, ...names.map((name) => `DNS:${name}`)],
    },
    { name: 'kubelet', commonName: nodeName, authority: 'ca', names: [`IP:${nodeAddress}`] },
    {
      name: 'kubelet-client',
      commonName: `system:node:${nodeName}`,
      organization: 'system:nodes',
      authority: 'ca',
    },
    {
      name: 'apiserver-kubelet-client',
      commonName: 'kube-apiserver-kubelet-client',
      organization: 'system:masters',
      authority: 'ca',
    },
    { name: 'admin', commonName: 'admin', organization: 'system:masters', authority: 'ca' },
    component('kube-controller-manager'),
    component('kube-scheduler'),
    component('kube-proxy'),
    { name: 'front-proxy-client', commonName: 'front-proxy-client', authority: 'front-proxy-ca' },
  ];
}

/**
 * Makes all keys and certificates of a cluster in `folder`, once. Elliptic keys, because a dozen of
 * them take a second where RSA takes ten.
 */
export async function createCertificates(
  folder: string,
  nodeAddress: string,
  nodeName: string,
): Promise<void> {
  const finished = join(folder, 'complete');
  if (existsSync(finished)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The machine's own configuration would mark every certificate as an authority.
  writeFileSync(join(folder, 'openssl.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n');
  await Promise.all(['ca', 'front-proxy-ca'].map((name) => createAuthority(folder, name)));
  await Promise.all([
    ...leaves(nodeAddress, nodeName).map((leaf) => createLeaf(folder, leaf)),
    createServiceAccountKeys(folder),
  ]);
  writeFileSync(finished, '');
}

export function readIdentity(folder: string, name: string): Identity {
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return { ca: read('ca.crt'), certificate: read(`${name}.crt`), key: read(`${name}.key`) };
}

async function createAuthority(folder: string, name: string): Promise<void> {
  await openssl(folder, [
    ...newCertificate(name, `/CN=mlops-cluster-${name}`),
    ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    ...['-addext', 'keyUsage=critical,digitalSignature,keyCertSign,cRLSign'],
  ]);
}

async function createLeaf(folder: string, leaf: Leaf): Promise<void> {
  const organization = leaf.organization === undefined ? '' : `/O=${leaf.organization}`;
  const names =
    leaf.names === undefined ? [] : ['-addext', `subjectAltName=${leaf.names.join(',')}`];
  await openssl(folder, [
    ...newCertificate(leaf.name, `${organization}/CN=${leaf.commonName}`),
    ...['-CA', `${leaf.authority}.crt`, '-CAkey', `${leaf.authority}.key`],
    ...['-addext', 'extendedKeyUsage=clientAuth,serverAuth'],
    ...names,
  ]);
}

function newCertificate(name: string, subject: string): readonly string[] {
  return [
    ...['req', '-x509', '-config', 'openssl.cnf', '-days', '3650', '-nodes'],
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    ...['-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.crt`],
  ];
}

async function createServiceAccountKeys(folder: string): Promise<void> {
  const key = 'service-accounts.key';
  await openssl(folder, [
    ...['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', key],
  ]);
  await openssl(folder, ['pkey', '-in', key, '-pubout', '-out', 'service-accounts.pub']);
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  await run('openssl', args, { cwd: folder });
}
