import type { Identity } from '../certificates.ts';

/** A kubeconfig with the credentials inside, so that it works from wherever it is copied to. */
export function kubeconfig(server: string, user: string, identity: Identity): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const name = 'mlops-local';
  return `apiVersion: v1
kind: Config
current-context: ${name}
clusters:
  - name: ${name}
    cluster:
      server: ${server}
      certificate-authority-data: ${base64(identity.ca)}
users:
  - name: ${user}
    user:
      client-certificate-data: ${base64(identity.certificate)}
      client-key-data: ${base64(identity.key)}
contexts:
  - name: ${name}
    context: { cluster: ${name}, user: ${user} }
`;
}
