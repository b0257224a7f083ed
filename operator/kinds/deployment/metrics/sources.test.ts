import { describe, expect, test } from '@jest/globals';
import { noErrors } from '../../../store/labels.ts';
import { noTraffic } from '../../../traffic/traffic.ts';
import { judge, type Evidence } from '../analysis.ts';
import type { OwnEvidence } from './own-evidence.ts';
import type { Metric } from './verdict.ts';

const labels: Metric = { name: 'prediction-error', thresholdRange: { max: 0.1 } };
const rate: Metric = { name: 'request-success-rate', thresholdRange: { min: 0.9 } };
const prometheus: Metric = {
  name: 'constructor',
  prometheus: { address: 'http://prometheus:9090', query: 'up' },
  thresholdRange: { min: 1 },
};
const job: Metric = { name: 'smoke', job: { spec: {} } };

const ofLabels = (answers: number, wrong: number): OwnEvidence => ({
  ...{ stable: '1.0.0', candidate: '1.1.0', path: '/labels' },
  data: {
    errors: { waiting: 0, byVersion: new Map([['1.1.0', { ...noErrors, answers, wrong }]]) },
  },
});
const measured = (name: string, value: number | boolean): Evidence['measured'] =>
  new Map([[name, { measurements: [{ at: 0, reading: { is: 'value', value } }] }]]);

const judged = (
  metrics: Metric[],
  { requests = 1000, ...known }: { requests?: number } & Partial<Evidence>,
): string => {
  const window = {
    ...{ traffic: { ...noTraffic, requests }, from: undefined, to: undefined, silent: [] },
  };
  const analysis = { interval: '30s', minimumRequests: 100, metrics };
  const { is, words } = judge(analysis, { window, measured: new Map(), ...known });
  return `${is}: ${words}`;
};

describe('metrics of several sources', () => {
  test('pass together, each with its numbers', () => {
    const known = { own: ofLabels(200, 4), measured: measured('constructor', 1) };
    expect(judged([rate, labels, prometheus], known)).toBe(
      'pass: request-success-rate is 100 % on 1000 requests, wanted at least 90 %; prediction-error (share of wrong answers) is 2 % on 200 labels, wanted at most 10 %; constructor is 1, wanted at least 1',
    );
  });

  test('fail by any one of them, however few requests there are', () => {
    const bad = { requests: 1, own: ofLabels(200, 100), measured: measured('constructor', 1) };
    expect(judged([rate, labels, prometheus], bad)).toMatch(/^fail: prediction-error/);
    const down = { requests: 1, own: ofLabels(200, 0), measured: measured('constructor', 0) };
    expect(judged([rate, labels, prometheus], down)).toMatch(/^fail: constructor is 0/);
  });

  test('pass with no requests only where all are Jobs', () => {
    const succeeded = { requests: 0, own: ofLabels(200, 0), measured: measured('smoke', true) };
    expect(judged([job], succeeded)).toBe('pass: smoke is true');
    expect(judged([job, labels], succeeded)).toBe(
      'inconclusive: 0 of 100 requests that are needed to judge',
    );
  });

  test('wait while it is not known which versions the labels are to compare', () => {
    expect(judged([rate, labels], {})).toBe(
      'inconclusive: prediction-error: the versions to compare are not known',
    );
  });
});
