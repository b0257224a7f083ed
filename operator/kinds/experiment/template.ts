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
 * the parameter it refers to, or for the Job's name or namespace.
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
      const value = values[whole] ?? values[`\${trialParameters.${name}}`];
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

const valuesOf = (
  { metadata, spec }: Experiment,
  trialName: string,
  assignments: Readonly<Record<string, string>>,
): Readonly<Record<string, string | undefined>> => {
  const isConditional = (reference: string): boolean =>
    (spec.parameters ?? []).some(({ name, when }) => name === reference && when !== undefined);
  const own = { '${trialSpec.Name}': trialName, '${trialSpec.Namespace}': metadata.namespace };
  const named = (spec.trialTemplate.trialParameters ?? []).map(({ name, reference }) => [
    `\${trialParameters.${name}}`,
    reference in own
      ? own[reference as keyof typeof own]
      : (assignments[reference] ?? (isConditional(reference) ? '' : undefined)),
  ]);
  return { ...own, ...(Object.fromEntries(named) as Record<string, string | undefined>) };
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
