/** Who may import whom; the rooms are described in README.md. */
const only = (name, library, rooms) => ({
  name,
  comment: `${library} has one owner: ${rooms}`,
  severity: 'error',
  from: {
    path: '^(operator|crds|serving-runtime)/',
    pathNot: [rooms, '\\.test\\.ts$', '/testing/'],
  },
  to: { path: `^node_modules/${library}`, dependencyTypesNot: ['type-only'] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'kinds-meet-in-the-cluster',
      comment: 'A kind never imports another kind.',
      severity: 'error',
      from: { path: '^operator/kinds/([^/]+)/', pathNot: ['/testing/', '\\.test\\.ts$'] },
      to: {
        path: '^operator/kinds/([^/]+)/',
        pathNot: '^operator/kinds/$1/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'decisions-are-pure',
      comment:
        'decide.ts and children.ts import the contract, statistics, traffic and pure neighbours only.',
      severity: 'error',
      from: { path: '^operator/kinds/[^/]+/(decide|children)\\.ts$' },
      to: {
        path: '^(node:(fs|net|http|child_process)|operator/(scraping|store|api|telemetry|runtime/(kubernetes-cluster|controller|informer|operator)))',
      },
    },
    {
      name: 'numbers-are-pure',
      comment: 'Numbers in, numbers out: the contract and one another is all they know.',
      severity: 'error',
      from: { path: '^operator/traffic/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^(operator/(statistics|traffic)|crds/schema|serving-runtime/protocol)/' },
    },
    {
      name: 'scraping-knows-no-kind',
      severity: 'error',
      from: { path: '^operator/scraping/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(operator/(kinds|store|api|artifacts|telemetry)|crds|serving-runtime)/' },
    },
    {
      name: 'plots-are-pure',
      comment: 'Numbers in, SVG text out: they know no kind and do no I/O.',
      severity: 'error',
      from: { path: '^operator/plots/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^operator/plots/' },
    },
    {
      name: 'the-cli-knows-the-api-only',
      severity: 'error',
      from: { path: '^operator/cli/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(operator/(?!cli/)|serving-runtime|e2e)/' },
    },
    {
      name: 'contract-stands-alone',
      severity: 'error',
      from: { path: '^crds/schema/' },
      to: { path: '^(operator|serving-runtime|e2e)/' },
    },
    {
      name: 'runtime-knows-no-kind',
      severity: 'error',
      from: { path: '^operator/runtime/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(operator/(kinds|store|api|artifacts|telemetry)|serving-runtime)/' },
    },
    {
      name: 'serving-runtime-stands-alone',
      severity: 'error',
      from: { path: '^serving-runtime/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(operator|crds|e2e)/' },
    },
    {
      name: 'operator-shares-the-protocol-only',
      severity: 'error',
      from: { path: '^(operator|crds)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^serving-runtime/(?!protocol/)' },
    },
    only('client-node-in-runtime', '@kubernetes/client-node', '^operator/(runtime/|main\\.ts$)'),
    only('base-class-in-runtime', '@dot-i/k8s-operator', '^operator/runtime/'),
    only(
      'sql-in-store',
      '(kysely|pg)/',
      '^operator/(store/|webhooks/sql-|kinds/[^/]+/(.*store|row|.*-sql|run-tables)\\.ts$)',
    ),
    only('s3-in-artifacts', '@aws-sdk', '^operator/artifacts/'),
    only('http-server-in-api', 'fastify/', '^operator/(api/|kinds/[^/]+/routes\\.ts$)'),
    only('onnx-in-session', 'onnxruntime-node', '^serving-runtime/session\\.ts$'),
    only('traces-in-telemetry', '@opentelemetry', '^(operator|serving-runtime)/telemetry/'),
    only(
      'special-functions-in-statistics',
      '@stdlib',
      '^operator/statistics/special-functions\\.ts$',
    ),
    {
      name: 'statistics-are-pure',
      comment: 'Numbers in, numbers out: statistics import nothing but themselves and @stdlib.',
      severity: 'error',
      from: { path: '^operator/statistics/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^(operator/statistics/|node_modules/@stdlib/)' },
    },
    only('metrics-in-telemetry', 'prom-client', '^(operator|serving-runtime)/telemetry/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
    },
  },
};
