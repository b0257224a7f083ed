/** What meets a server, and so is covered by the integration tests alone. */
const ADAPTERS = [
  'operator/artifacts/s3-*.ts',
  'operator/kinds/experiment/{store,run-sql,run-rows,run-tables}.ts',
  'operator/runtime/{kubernetes-cluster,connections}.ts',
  'operator/store/{database,migrate,sql-*}.ts',
  'operator/store/migrations/*.ts',
];

/** Composition roots and generators: run by the journeys, and by the check for drift. */
const PROGRAMS = [
  'operator/{main,mlops-operator,connections,until-done}.ts',
  'serving-runtime/main.ts',
  'charts/{generate,render,rbac-template}.ts',
];

const SOURCES = '{operator,crds,serving-runtime,charts}/**/*.ts';
const TESTS = ['**/*.test.ts', '**/testing/**'];

const argumentsFor = (
  folder: string,
  from: readonly string[],
  lines: number,
): readonly string[] => [
  '--coverage',
  `--coverageDirectory=${folder}`,
  '--coverageReporters=json-summary',
  '--coverageReporters=lcovonly',
  `--coverageThreshold={"global":{"lines":${lines}}}`,
  ...from.map((glob) => `--collectCoverageFrom=${glob}`),
];

/** Unit tests: all that needs no server, at least 90 % of lines. */
export const unitCoverage = (folder: string): readonly string[] =>
  argumentsFor(
    folder,
    [SOURCES, ...[...TESTS, ...ADAPTERS, ...PROGRAMS].map((glob) => `!${glob}`)],
    90,
  );

/** Integration tests: the adapters to real servers, at least 80 % of lines. */
export const integrationCoverage = (folder: string): readonly string[] =>
  argumentsFor(folder, ADAPTERS, 80);
