/** Experiments of several kinds, and a script beside them. */
import { exampleOf } from './manifests.ts';
import { at } from './kubectl.ts';
import { settings } from './settings.ts';
import type { Manifest } from './tenant.ts';

type SearchOptions = {
  readonly trials: number;
  readonly retrain?: object;
  /** Further fields of the spec. */
  readonly more?: object;
};

/** The search of example 05 under another name. */
export const digitsSearch = (name: string, { trials, retrain, more }: SearchOptions): Manifest => {
  const { spec, ...manifest } = exampleOf('05-search/experiment');
  const register = { ...(at(spec, 'register') as object), ...(retrain && { retrain }) };
  return {
    ...manifest,
    metadata: { ...manifest.metadata, name },
    spec: { ...(spec as object), maxTrialCount: trials, register, ...more },
  };
};

const container = (name: string, image: string, program: string): object => ({
  ...{ name, image, command: ['python', '-c', program] },
  resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
});

/** Node 1 sends its rank to node 0, by the names that torchrun would meet under. */
const MEETING = `
import os, socket, time
rank, nodes = int(os.environ["PET_NODE_RANK"]), int(os.environ["PET_NNODES"])
place = os.environ["PET_MASTER_ADDR"], int(os.environ["PET_MASTER_PORT"])
if rank == FAILS:
    raise SystemExit(3)
if rank == 0:
    with socket.create_server(("", place[1])) as server:
        server.settimeout(60)
        met = [int(server.accept()[0].recv(16)) for _ in range(nodes - 1)]
    print(f"met={41 + sum(met)}", flush=True)
else:
    for _ in range(60):
        try:
            with socket.create_connection(place, timeout=5) as other:
                other.send(str(rank).encode())
            break
        except OSError as error:
            print(error, flush=True)
            time.sleep(1)
    print("met=1000", flush=True)
`;

/** `fails`: the node that ends badly before it meets anybody. */
export const nodesThatMeet = (name: string, numNodes: number, fails = -1): Manifest => {
  const program = MEETING.replace('FAILS', String(fails));
  const image = settings().images['mlops-trainer-digits'] ?? '';
  const pod = { restartPolicy: 'Never', containers: [container('train', image, program)] };
  return {
    kind: 'Experiment',
    metadata: { name },
    spec: {
      objective: { type: 'maximize', objectiveMetricName: 'met' },
      trainer: { numNodes },
      trialTemplate: {
        trialSpec: { apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: pod } } },
      },
    },
  };
};

const script = (namespace: string, study: string): string => `
import optuna
storage = MlopsStorage(host="mlops-operator-hpo.mlops-system.svc", token="/token/token")
print("studies:", *optuna.get_all_study_names(storage))
theirs = optuna.load_study(study_name="${study}", storage=storage)
print("trials of the Experiment:", *[trial.state.name for trial in theirs.trials])
try:
    theirs.ask()
except grpc.RpcError as error:
    print("asking for a trial:", error.code().name)
mine = optuna.create_study(study_name="${namespace}/mine", storage=storage, load_if_exists=True)
mine.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=5)
print("trials of my own:", len(mine.trials))
optuna.delete_study(study_name="${namespace}/mine", storage=storage)
`;

/** A Job with Optuna, a token for the storage proxy, and nothing else. */
export const optunaScript = (name: string, client: string, study: string): Manifest => {
  const [namespace = ''] = study.split('/');
  const image = settings().images['mlops-operator-hpo'] ?? '';
  const program = container('script', image, `${client}\n${script(namespace, study)}`);
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const token = { audience: 'mlops.pynomaly.io', expirationSeconds: 600, path: 'token' };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              ...program,
              securityContext,
              volumeMounts: [{ name: 'token', mountPath: '/token', readOnly: true }],
            },
          ],
          volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: token }] } }],
        },
      },
    },
  };
};
