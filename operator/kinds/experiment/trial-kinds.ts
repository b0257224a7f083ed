import type { Experiment } from '../../../crds/schema/experiment.ts';
import { JOB } from '../../runtime/kubernetes-types.ts';
import type { ResourceType } from '../../runtime/resource-type.ts';

/** https://jobset.sigs.k8s.io/docs/reference/jobset.v1alpha2/ */
export const JOB_SET: ResourceType = {
  group: 'jobset.x-k8s.io',
  version: 'v1alpha2',
  kind: 'JobSet',
  plural: 'jobsets',
  namespaced: true,
};

/** https://www.kubeflow.org/docs/components/trainer/ */
export const TRAIN_JOB: ResourceType = {
  group: 'trainer.kubeflow.org',
  version: 'v1alpha1',
  kind: 'TrainJob',
  plural: 'trainjobs',
  namespaced: true,
};

const TYPES = { Job: JOB, JobSet: JOB_SET, TrainJob: TRAIN_JOB };

/** What a trial of the Experiment is. */
export const trialType = ({ spec }: Experiment): ResourceType =>
  TYPES[spec.trialTemplate.trialSpec.kind];
