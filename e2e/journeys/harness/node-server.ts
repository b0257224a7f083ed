import { settings } from './settings.ts';
import type { Manifest } from './tenant.ts';

type Server = {
  readonly name: string;
  /** Of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  /** CommonJS that listens on 8080 and answers `/`. */
  readonly program: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
};

/** A pod that runs a few lines of Node, and its Service of the same name on port 80. */
export const nodeServer = ({ name, labels, program, env = [] }: Server): readonly Manifest[] => {
  const container = {
    name: 'server',
    image: settings().images['mlops-operator'],
    command: ['node', '-e', program],
    env,
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
    resources: { requests: { cpu: '10m', memory: '32Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const securityContext = {
    runAsNonRoot: true,
    runAsUser: 65532,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { securityContext, containers: [container] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ];
};
