/**
 * `unit` (pure and in-memory, every *.test.ts beside its source), `integration`
 * (*.integration.test.ts, against real servers that `e2e/integration` starts), `faults`
 * (*.faults.test.ts, each with an API server of its own that is put in trouble) and `journeys`.
 */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
};

export default {
  // The v8 provider never ends with ES modules in jest's contexts.
  coverageProvider: 'babel',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/{operator,crds,serving-runtime,charts,e2e}/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '\\.(integration|faults)\\.test\\.ts$',
        '/e2e/journeys/[^/]+$',
      ],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/{operator,crds,serving-runtime,charts,e2e}/**/*.integration.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/e2e/journeys/'],
    },
    {
      ...shared,
      displayName: 'faults',
      testMatch: ['<rootDir>/e2e/faults/**/*.faults.test.ts'],
    },
    {
      ...shared,
      displayName: 'journeys',
      testMatch: ['<rootDir>/e2e/journeys/*.test.ts'],
    },
  ],
};
