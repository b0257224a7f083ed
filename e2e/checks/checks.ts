import { integrationCoverage, unitCoverage } from './coverage.ts';

/** One gate; `jest` ones report how many tests passed. */
export type Check = {
  readonly name: string;
  readonly command: readonly string[];
  /** Where jest writes its results as JSON. */
  readonly results?: string;
  /** Where it writes its coverage summary. */
  readonly coverage?: string;
};

const SOURCES = ['operator', 'crds', 'serving-runtime', 'charts', 'e2e'];

export const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', command: ['eslint', '.'] },
  {
    name: 'import rules',
    command: ['depcruise', '--config', '.dependency-cruiser.cjs', ...SOURCES],
  },
  { name: 'dependencies', command: ['knip', '--include', 'dependencies,unlisted'] },
  { name: 'generated CRDs', command: ['node', 'crds/generate.ts', '--check'] },
  { name: 'generated chart files', command: ['node', 'charts/generate.ts', '--check'] },
];

const NODE_FOR_JEST = [
  'node',
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
];

export const tests: readonly Check[] = [
  {
    name: 'unit tests',
    command: [
      ...NODE_FOR_JEST,
      'node_modules/jest/bin/jest.js',
      '--selectProjects',
      'unit',
      '--json',
      '--outputFile=.build/unit.json',
      ...unitCoverage('.build/coverage-unit'),
    ],
    results: '.build/unit.json',
    coverage: '.build/coverage-unit/coverage-summary.json',
  },
  { name: 'simulation', command: ['node', 'e2e/simulation/main.ts', '--seeds', '1000'] },
  {
    name: 'simulated AB tests',
    command: ['node', 'e2e/ab-tests/main.ts', '--proof', '--tests', '1000'],
  },
  {
    name: 'integration tests',
    command: [
      'node',
      'e2e/integration/main.ts',
      '--json',
      '--outputFile=.build/integration.json',
      ...integrationCoverage('.build/coverage-integration'),
    ],
    results: '.build/integration.json',
    coverage: '.build/coverage-integration/coverage-summary.json',
  },
  {
    name: 'fault cases',
    command: ['node', 'e2e/faults/main.ts'],
    results: '.build/faults.json',
  },
];

export const journeys: readonly Check[] = [
  {
    name: 'journeys',
    command: ['node', 'e2e/journeys/main.ts', '--json', '--outputFile=.build/journeys.json'],
    results: '.build/journeys.json',
  },
];
