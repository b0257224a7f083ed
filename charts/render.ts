import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { loadAll } from 'js-yaml';

import { readConfig } from '../e2e/cluster/config.ts';
import { goTool } from '../e2e/cluster/go-tool.ts';

/** The parts of a rendered object that the chart's tests look at. */
export type Rendered = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly {
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly spec?: Readonly<Record<string, unknown>>;
};

export const chart = join(import.meta.dirname, 'mlops-operator');

const execute = promisify(execFile);
const silent = { step: <T>(_: string, work: () => Promise<T>) => work(), note: () => undefined };

/** Runs the project's own helm and returns what it printed; rejects with what it complained about. */
export const helm = async (args: readonly string[]): Promise<string> => {
  const { stdout } = await execute(await goTool(readConfig(), silent, 'helm'), [...args], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
};

/** `helm template` of the chart with these `--set` arguments, CRDs left out. */
export const render = async (set: readonly string[] = []): Promise<readonly Rendered[]> => {
  const text = await helm([
    ...['template', 'mlops-operator', chart, '--namespace', 'mlops-system'],
    ...['--kube-version', '1.34.4', '--set', 'crds.enabled=false'],
    ...set.flatMap((value) => ['--set', value]),
  ]);
  return loadAll(text).filter((each) => each !== null && each !== undefined) as Rendered[];
};
