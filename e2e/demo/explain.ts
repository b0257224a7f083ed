import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { DEMO_NAMESPACE } from './example.ts';
import { SYSTEM_NAMESPACE } from './install.ts';
import type { Target } from './target.ts';

/** What stands there now, and where each thing can be looked at. */
export async function nextSteps({ kubectl, kubeconfig, local }: Target): Promise<string> {
  const objects = await kubectl(['get', 'mlops', '-n', DEMO_NAMESPACE]);
  return `
What there is now (kubectl get mlops -n ${DEMO_NAMESPACE}):

${objects}
Look around${local ? ` (export KUBECONFIG=${kubeconfig})` : ''}:
  kubectl get mlops -n ${DEMO_NAMESPACE}
  kubectl describe modeldeployment digits -n ${DEMO_NAMESPACE}
  kubectl get modelversions -n ${DEMO_NAMESPACE} -o yaml        digest, inputs, outputs
  kubectl logs -n ${DEMO_NAMESPACE} job/digits-train-0           what the training printed
  kubectl logs -n ${SYSTEM_NAMESPACE} deployment/mlops-operator  what the operator did

Ask the model yourself:
  kubectl port-forward -n ${DEMO_NAMESPACE} service/digits 8090:80 &
  curl localhost:8090/v2/models/digits

The operator's API (OpenAPI at /openapi.json) and metrics:
  kubectl port-forward -n ${SYSTEM_NAMESPACE} service/mlops-operator 8080 8081 &
  curl localhost:8081/metrics

Try next: examples/01-train-and-serve/README.md
Remove the example: kubectl delete namespace ${DEMO_NAMESPACE}
${local ? 'Stop the cluster:   make cluster-down' : `Remove the chart:   charts/mlops-operator/README.md, "Removing it"`}
`;
}

/** What helps to find out why: objects, events and logs of both namespaces; all of it in a file. */
export async function collectFailure(target: Target, file: string): Promise<string> {
  const sections = await Promise.all(
    [DEMO_NAMESPACE, SYSTEM_NAMESPACE].flatMap((namespace) => [
      section(target, ['get', 'mlops,pods,jobs,pvc', '-n', namespace, '-o', 'wide']),
      section(target, ['get', 'events', '-n', namespace, '--sort-by=.lastTimestamp']),
      section(target, ['describe', 'mlops', '-n', namespace]),
      podLogs(target, namespace),
    ]),
  );
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, sections.join('\n'));
  return warnings(target);
}

async function section(target: Target, args: readonly string[]): Promise<string> {
  return `$ kubectl ${args.join(' ')}\n${await answer(target, args)}`;
}

async function podLogs(target: Target, namespace: string): Promise<string> {
  const names = await answer(target, ['get', 'pods', '-n', namespace, '-o', 'name']);
  const logs = names
    .split('\n')
    .filter((name) => name.startsWith('pod/'))
    .map((name) =>
      section(target, ['logs', '-n', namespace, name, '--all-containers', '--tail=200']),
    );
  return (await Promise.all(logs)).join('\n');
}

/** The last warnings of both namespaces, newest last. */
async function warnings(target: Target): Promise<string> {
  const lines = await Promise.all(
    [SYSTEM_NAMESPACE, DEMO_NAMESPACE].map(async (namespace) => {
      const events = await answer(target, [
        ...['get', 'events', '-n', namespace, '--field-selector=type=Warning'],
        ...['--sort-by=.lastTimestamp', '--no-headers'],
        ...[
          '-o',
          'custom-columns=O:.involvedObject.kind,N:.involvedObject.name,R:.reason,M:.message',
        ],
      ]);
      return events.trim().split('\n').slice(-8);
    }),
  );
  return lines
    .flat()
    .filter((line) => line !== '')
    .map((line) => `  ${line.slice(0, 300)}`)
    .join('\n');
}

/** A part of the picture that cannot be had is said in its place; the rest still helps. */
async function answer(target: Target, args: readonly string[]): Promise<string> {
  try {
    return await target.kubectl(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
