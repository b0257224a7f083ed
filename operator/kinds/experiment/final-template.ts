import type { Experiment } from '../../../crds/schema/experiment.ts';
import { trialName } from './children.ts';
import { fillTemplate } from './template.ts';

/** As if every trial were the final training: with the Job that `register.retrain` names, if it does. */
export const withFinalTemplate = (experiment: Experiment): Experiment => {
  const { spec } = experiment;
  const trialSpec = spec.register?.retrain?.trialSpec ?? spec.trialTemplate.trialSpec;
  return { ...experiment, spec: { ...spec, trialTemplate: { ...spec.trialTemplate, trialSpec } } };
};

/** Words about trialTemplate.trialSpec, where it is that of the final training. */
export const finalOf = ({ spec }: Experiment, words: string): string =>
  spec.register?.retrain?.trialSpec === undefined
    ? words
    : words.replaceAll('spec.trialTemplate.trialSpec', 'spec.register.retrain.trialSpec');

/** What will keep the final training from starting, found before a search ran for nothing. */
export const finalFault = (experiment: Experiment): string | undefined => {
  if (experiment.spec.register?.retrain?.trialSpec === undefined) return undefined;
  const any = Object.fromEntries((experiment.spec.parameters ?? []).map(({ name }) => [name, '0']));
  const name = trialName(experiment, 'final');
  const filled = fillTemplate(withFinalTemplate(experiment), name, any);
  return 'fault' in filled ? finalOf(experiment, filled.fault) : undefined;
};
