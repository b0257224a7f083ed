import { describe, expect, test } from '@jest/globals';

import { LABELS, TOKEN_AUDIENCE } from '../../../crds/schema/names.ts';
import { aTemplate, anExperiment } from '../testing/an-experiment.ts';
import { someDefaults } from '../testing/builders.ts';
import { trialJob } from './children.ts';
import { fillTemplate } from './template.ts';

const jobOf = (
  template: Parameters<typeof anExperiment>[0] = {},
  assignments: Record<string, string> = {},
) => {
  const experiment = anExperiment(template);
  const filled = fillTemplate(experiment, 'digits-train-0', assignments);
  if ('fault' in filled) throw new Error(filled.fault);
  return trialJob(experiment, { number: 0, runId: 'run1' }, filled.spec, someDefaults());
};

describe("a trial's Job", () => {
  test('tells the MLflow client where to log, as which run, with which token', () => {
    const { template } = jobOf().spec;
    const [train] = template.spec.containers;
    expect(train?.env).toEqual([
      { name: 'MLFLOW_TRACKING_URI', value: 'http://api.mlops-system.svc:8080' },
      { name: 'MLFLOW_TRACKING_AUTH', value: 'kubernetes' },
      { name: 'MLFLOW_EXPERIMENT_ID', value: 'uid-of-digits-train' },
      { name: 'MLFLOW_RUN_ID', value: 'run1' },
      { name: 'MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT', value: 'true' },
      { name: 'MLFLOW_DISABLE_TELEMETRY', value: 'true' },
      { name: 'HOME', value: '/tmp' },
    ]);
    expect(train?.volumeMounts).toContainEqual({
      name: 'mlops-token',
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      readOnly: true,
    });
    expect(template.spec).toMatchObject({
      automountServiceAccountToken: false,
      restartPolicy: 'Never',
    });
    const token = template.spec.volumes?.find(({ name }) => name === 'mlops-token');
    expect(token).toMatchObject({
      projected: {
        sources: [
          { serviceAccountToken: { audience: TOKEN_AUDIENCE, path: 'token' } },
          { downwardAPI: { items: [{ path: 'namespace' }] } },
        ],
      },
    });
  });

  test('is not retried unless its author says so, and keeps the end of the log', () => {
    expect(jobOf().spec['backoffLimit']).toBe(0);
    const trialTemplate = aTemplate({}, { backoffLimit: 2, ttlSecondsAfterFinished: 1 });
    const { spec } = jobOf({ trialTemplate });
    expect(spec['backoffLimit']).toBe(2);
    expect(spec).not.toHaveProperty('ttlSecondsAfterFinished');
    expect(spec.template.spec.containers[0]).toMatchObject({
      terminationMessagePolicy: 'FallbackToLogsOnError',
    });
  });

  test('gives the token to the primary container only', () => {
    const containers = [{ name: 'proxy' }, { name: 'train' }];
    const trialTemplate = {
      ...aTemplate({}, { template: { spec: { containers } } }),
      primaryContainerName: 'train',
    };
    const [proxy, train] = jobOf({ trialTemplate }).spec.template.spec.containers;
    expect(JSON.stringify(proxy)).not.toContain('mlops-token');
    expect(JSON.stringify(train)).toContain('mlops-token');
  });

  test('lets its author set a variable, but no label of ours', () => {
    const env = [{ name: 'MLFLOW_TRACKING_URI', value: 'http://elsewhere' }];
    const labels = { team: 'vision', [LABELS.deployment]: 'digits', [LABELS.experiment]: 'other' };
    const trialTemplate = aTemplate(
      {},
      { template: { metadata: { labels }, spec: { containers: [{ name: 'train', env }] } } },
    );
    const { template } = jobOf({ trialTemplate }).spec;
    expect(template.spec.containers[0]?.env).toContainEqual(env[0]);
    expect(template.metadata?.labels).toEqual({
      team: 'vision',
      [LABELS.experiment]: 'digits-train',
      [LABELS.trial]: '0',
      [LABELS.runId]: 'run1',
    });
  });
});

describe('a trial template', () => {
  const args = ['--lr=${trialParameters.rate}', '${trialSpec.Name}', '$HOME'];
  const template = {
    ...aTemplate({ args }),
    trialParameters: [{ name: 'rate', reference: 'lr' }],
  };

  test('is filled in, in every text', () => {
    const job = jobOf({ trialTemplate: template }, { lr: '0.1' });
    expect(job.spec.template.spec.containers[0]?.['args']).toEqual([
      '--lr=0.1',
      'digits-train-0',
      '$HOME',
    ]);
  });

  test('may refer to the Job itself', () => {
    const trialTemplate = {
      ...aTemplate({ args: ['${trialParameters.ns}'] }),
      trialParameters: [{ name: 'ns', reference: '${trialSpec.Namespace}' }],
    };
    const [train] = jobOf({ trialTemplate }).spec.template.spec.containers;
    expect(train?.['args']).toEqual(['demo']);
  });

  test('names the placeholder that has no value', () => {
    const trialTemplate = aTemplate({ args: ['${trialParameters.lr}'] });
    expect(fillTemplate(anExperiment({ trialTemplate }), 'x', {})).toEqual({
      fault:
        'spec.trialTemplate.trialSpec holds ${trialParameters.lr}, which has no value; add it to spec.trialTemplate.trialParameters or correct it.',
    });
  });

  test('names the primary container that is not there', () => {
    const trialTemplate = { ...aTemplate(), primaryContainerName: 'main' };
    expect(fillTemplate(anExperiment({ trialTemplate }), 'x', {})).toEqual({
      fault: 'spec.trialTemplate.primaryContainerName is main, but the containers are train.',
    });
  });
});
