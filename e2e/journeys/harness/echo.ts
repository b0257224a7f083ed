import { settings } from './settings.ts';
import type { Manifest } from './tenant.ts';

/** Pods that answer every request with its headers as JSON, and their Service of the same name. */
export const echoVariant = (name: string): readonly Manifest[] => {
  const labels = { app: 'echo', variant: name };
  const program = `require('node:http').createServer((asked, answer) => answer.end(JSON.stringify(asked.headers))).listen(8080)`;
  const container = {
    name: 'echo',
    image: settings().images['mlops-operator'],
    command: ['node', '-e', program],
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
