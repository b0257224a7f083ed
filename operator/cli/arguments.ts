import { parseArgs } from 'node:util';

export const USAGE = `mlops: what the API of the operator knows, at the command line
  mlops compare EXPERIMENT [-n NAMESPACE] [--run ID …] [--group-by KEY] [--metric NAME …]
  mlops importance EXPERIMENT [-n NAMESPACE] [--objective NAME]
compare          in what runs of an Experiment differ: params, metrics with intervals, tests,
                 and for a search what importance says
importance       how much each parameter of a search matters for an objective
--run            id of a run, repeatable; all of the Experiment unless said
--parent         id of a run whose nested runs are one group, repeatable
--group-by       param or tag: runs with the same value are repetitions of one another
--pair-by        param or tag that tells repetitions apart, repeatable; fold and seed unless said
--metric         name of a metric, repeatable; all that a run has unless said
--objective      the first one unless said
--confidence     level of the intervals, 0.95 unless said
-n, --namespace  default unless said
-o, --output     table (unless said) or json
--server         address of the API; MLOPS_SERVER, or http://localhost:8080 unless said
The token is read from MLOPS_TOKEN, or from the file that MLOPS_TOKEN_FILE names:
  kubectl port-forward -n mlops-system service/mlops-operator 8080 &
  export MLOPS_TOKEN=$(kubectl create token reader -n demo --audience=mlops.pynomaly.io)`;

export type CommandArguments = {
  readonly command: 'compare' | 'importance';
  readonly experiment: string;
  readonly namespace: string;
  readonly output: 'table' | 'json';
  readonly server: string | undefined;
  /** As the API has them; each name as often as it was given. */
  readonly query: readonly (readonly [name: string, value: string])[];
};

export type Arguments = { readonly help: true } | ({ readonly help: false } & CommandArguments);

/** What a user wrote wrongly: the message says what and how it is given. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export const readArguments = (args: readonly string[]): Arguments => {
  const { values, positionals } = parsed(args);
  if (values.help || args.length === 0) return { help: true };
  const [command, experiment, ...more] = positionals;
  if (command !== 'compare' && command !== 'importance') {
    throw new UsageError(
      `There is no command "${command ?? ''}"; there are mlops compare and mlops importance.`,
    );
  }
  if (experiment === undefined || more.length > 0) {
    throw new UsageError(`Name one Experiment, as in: mlops ${command} digits-search -n demo`);
  }
  const { output } = values;
  if (output !== 'table' && output !== 'json') {
    throw new UsageError(`--output is ${output}; it is table or json.`);
  }
  return {
    ...{ help: false, command, experiment, output },
    namespace: values.namespace,
    server: values.server,
    query: [
      ...all('run', values.run),
      ...all('parent', values.parent),
      ...all('pairBy', values['pair-by']),
      ...all('metric', values.metric),
      ...one('groupBy', values['group-by']),
      ...one('confidence', values.confidence),
      ...one('objective', values.objective),
    ],
  };
};

const all = (name: string, values: readonly string[] = []) =>
  values.map((value) => [name, value] as const);
const one = (name: string, value: string | undefined) =>
  value === undefined ? [] : [[name, value] as const];

const text = { type: 'string' } as const;
const several = { type: 'string', multiple: true } as const;

const OPTIONS = {
  ...{ run: several, parent: several, metric: several, 'pair-by': several },
  ...{ 'group-by': text, confidence: text, objective: text, server: text },
  namespace: { type: 'string', short: 'n', default: 'default' },
  output: { type: 'string', short: 'o', default: 'table' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
};
