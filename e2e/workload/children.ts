import type { KubernetesObject } from '../../operator/runtime/resource-type.ts';
import type { App } from './app.ts';

type Child = KubernetesObject & { readonly data?: object; readonly spec?: object };

/** What an App is made of; each child has the App's name. The same as the Go peer's. */
export const configMapOf = ({ metadata: { name }, spec }: App): Child => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { value: spec.value },
});

export const deploymentOf = ({ metadata: { name }, spec }: App): Child => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    // A field that is not stated stays with whoever set it, such as an autoscaler.
    ...(spec.replicas !== undefined && { replicas: spec.replicas }),
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'app',
            image: 'example.invalid/app:1',
            env: [{ name: 'VALUE', value: spec.value }],
          },
        ],
      },
    },
  },
});

export const serviceOf = ({ metadata: { name } }: App): Child => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});
