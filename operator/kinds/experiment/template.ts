import type { Experiment } from '../../../crds/schema/experiment.ts';
import { privilegeAskedFor } from '../privileges.ts';
import type { PodTemplate } from '../kubernetes-objects.ts';
import { contradictionOf } from './nodes.ts';
import { viewOfSpec } from './trial-view.ts';

export type JobSpec = { readonly template: PodTemplate; readonly [field: string]: unknown };

/** The trial's Job spec with its placeholders filled in, or what keeps it from being one. */
export type Filled = { readonly spec: JobSpec } | { readonly fault: string };

const PLACEHOLDER = /\$\{(trialParameters|trialSpec)\.([^}]*)\}/g;

/**
 * Fills `${trialParameters.<name>}` in every text of the template. Each name stands for the value of
 * the parameter it refers to, or for something of the Job's metadata.
 */
export const fillTemplate = (
  experiment: Experiment,
  trialName: string,
  assignments: Readonly<Record<string, string>>,
): Filled => {
  const missing = new Set<string>();
  const values = valuesOf(experiment, trialName, assignments);
  const fill = (text: string): string =>
    text.replaceAll(PLACEHOLDER, (whole, _kind: string, name: string) => {
      const value = values.get(whole) ?? values.get(`\${trialParameters.${name}}`);
      if (value === undefined) missing.add(whole);
      return value ?? whole;
    });
  const spec: unknown = fillAll(experiment.spec.trialTemplate.trialSpec.spec, fill);
  const [first] = missing;
  if (first !== undefined) {
    return {
      fault: `spec.trialTemplate.trialSpec holds ${first}, which has no value; add it to spec.trialTemplate.trialParameters or correct it.`,
    };
  }
  return check(spec, experiment);
};

/** Maps, not objects: a parameter may be called `constructor`. */
const valuesOf = (
  experiment: Experiment,
  trialName: string,
  assignments: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> => {
  const { parameters = [], trialTemplate } = experiment.spec;
  const own = valuesOfJob(experiment, trialName);
  const drawn = new Map(Object.entries(assignments));
  const all = new Map(own);
  for (const { name, reference } of trialTemplate.trialParameters ?? []) {
    const isLeftOut = parameters.some((each) => each.name === reference && each.when !== undefined);
    const value = own.get(reference) ?? drawn.get(reference) ?? (isLeftOut ? '' : undefined);
    if (value !== undefined) all.set(`\${trialParameters.${name}}`, value);
  }
  return all;
};

/** What Katib calls the metadata of a trial: that of its Job. */
const valuesOfJob = (
  { metadata, spec }: Experiment,
  trialName: string,
): ReadonlyMap<string, string> => {
  const { kind, apiVersion, metadata: own } = spec.trialTemplate.trialSpec;
  const keyed = (field: string, of: Readonly<Record<string, string>> = {}) =>
    Object.entries(of).map(([key, value]): [string, string] => [`${field}[${key}]`, value]);
  const values: readonly (readonly [string, string])[] = [
    ['Name', trialName],
    ['Namespace', metadata.namespace],
    ['Kind', kind],
    ['APIVersion', apiVersion],
    ...keyed('Labels', own?.labels),
    ...keyed('Annotations', own?.annotations),
  ];
  return new Map(values.map(([name, value]) => [`\${trialSpec.${name}}`, value]));
};

const fillAll = (value: unknown, fill: (text: string) => string): unknown => {
  if (typeof value === 'string') return fill(value);
  if (Array.isArray(value)) return value.map((each) => fillAll(each, fill));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fillAll(each, fill)]));
};

/** As much of the shape as building the Job relies on; the API server judges the rest. */
const check = (own: unknown, experiment: Experiment): Filled => {
  const { trialTemplate } = experiment.spec;
  const viewed = viewOfSpec(experiment, own);
  if ('fault' in viewed) return viewed;
  const { spec } = viewed;
  const containers = (spec as Partial<JobSpec> | undefined)?.template?.spec?.containers;
  if (!Array.isArray(containers) || containers.length === 0) {
    return {
      fault:
        'spec.trialTemplate.trialSpec.spec.template.spec.containers is missing or empty; name the container that trains.',
    };
  }
  const primary = trialTemplate.primaryContainerName;
  const names = (spec as JobSpec).template.spec.containers.map(({ name }) => name);
  if (primary !== undefined && !names.includes(primary)) {
    return {
      fault: `spec.trialTemplate.primaryContainerName is ${primary}, but the containers are ${names.join(', ')}.`,
    };
  }
  const privilege = privilegeAskedFor((spec as JobSpec).template.spec);
  if (privilege !== undefined) {
    return {
      fault: `spec.trialTemplate.trialSpec asks for ${privilege}, which no trial gets; remove it.`,
    };
  }
  const contradiction = contradictionOf(experiment, spec as JobSpec);
  return contradiction === undefined ? { spec: spec as JobSpec } : { fault: contradiction };
};
