import { processTable } from '../../cluster/process-table.ts';
import { SYSTEM_NAMESPACE } from '../../demo/install.ts';
import { kubectl, kubectlJson, listAt, textAt, type Json } from './kubectl.ts';
import { until } from './until.ts';

const selectorOf = (component: string): string =>
  `app.kubernetes.io/name=mlops-operator,app.kubernetes.io/component=${component}`;
const SELECTOR = selectorOf('operator');

export type OperatorPod = {
  readonly name: string;
  readonly uid: string;
  readonly restarts: number;
  readonly ready: boolean;
  readonly containerId: string;
};

export const operatorPods = (): Promise<readonly OperatorPod[]> => podsOf(SELECTOR);

const podsOf = async (selector: string): Promise<readonly OperatorPod[]> => {
  const list = await kubectlJson('get', 'pods', '-n', SYSTEM_NAMESPACE, '-l', selector);
  return listAt(list, 'items').map(podOf);
};

const podOf = (pod: Json): OperatorPod => {
  const status = listAt(pod, 'status.containerStatuses')[0];
  return {
    name: textAt(pod, 'metadata.name'),
    uid: textAt(pod, 'metadata.uid'),
    restarts: Number(status?.['restartCount'] ?? 0),
    ready: status?.['ready'] === true,
    containerId: textAt(status, 'containerID').replace(/^containerd:\/\//, ''),
  };
};

/** Both replicas run and say ready. */
export const operatorIsReady = (seconds = 120): Promise<readonly OperatorPod[]> =>
  until('both operator pods to be ready', seconds, async () => {
    const pods = await operatorPods();
    return pods.length === 2 && pods.every(({ ready }) => ready) ? pods : undefined;
  });

/** SIGKILL, which no program can prepare for, to the process of each running replica. */
export const killOperator = (): Promise<number> => kill(SELECTOR);

/** The same to the search service, which the kubelet then starts again. */
export const killSearchService = (): Promise<number> => kill(selectorOf('hpo'));

const kill = async (selector: string): Promise<number> => {
  const containers = (await podsOf(selector)).map(({ containerId }) => containerId);
  const victims = processTable().filter(({ cgroups }) =>
    containers.some((id) => id !== '' && cgroups.some((path) => path.includes(id))),
  );
  for (const { pid } of victims) process.kill(pid, 'SIGKILL');
  return victims.length;
};

/** Takes the pods away too, so that new ones start at once and not after the kubelet's back-off. */
export const replaceOperatorPods = async (): Promise<void> => {
  await kubectl([
    ...['delete', 'pods', '-n', SYSTEM_NAMESPACE, '-l', SELECTOR],
    ...['--force', '--grace-period=0', '--wait=false'],
  ]);
};

/** Scales one of the bundled services to nothing, or back to its one pod, and waits for that. */
export const scaleService = async (name: 'postgresql' | 's3', replicas: 0 | 1): Promise<void> => {
  const statefulSet = `statefulset/mlops-operator-${name}`;
  await kubectl(['scale', statefulSet, '-n', SYSTEM_NAMESPACE, `--replicas=${replicas}`]);
  await until(`${replicas} pods of ${statefulSet}`, 120, async () => {
    const object = await kubectlJson('get', statefulSet, '-n', SYSTEM_NAMESPACE);
    const { replicas: running = 0, readyReplicas: ready = 0 } = (object['status'] ?? {}) as Record<
      string,
      number
    >;
    return running === replicas && ready === replicas ? true : undefined;
  });
};
