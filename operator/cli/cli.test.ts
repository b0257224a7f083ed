import { describe, expect, test } from '@jest/globals';
import { apiFixture, given, person } from '../api/testing/api-fixture.ts';
import { importanceRoute } from '../kinds/experiment/importance-route.ts';
import { StudyBehind, type ImportanceSource } from '../kinds/experiment/search-engine.ts';
import { getJson } from './api-client.ts';
import { readArguments } from './arguments.ts';
import { run } from './commands.ts';
import { serverOf, tokenOf } from './config.ts';

const id = (hex: string): string => hex.repeat(32);
const SEARCH = {
  objective: { type: 'minimize', objectiveMetricName: 'loss' },
  algorithm: { algorithmName: 'tpe' },
  parameters: [
    { name: 'lr', parameterType: 'double', feasibleSpace: { min: '0', max: '1' } },
    { name: 'seed', parameterType: 'int', feasibleSpace: { min: '0', max: '1' } },
  ],
};
const LR_MATTERS: ImportanceSource = {
  importances: async () => ({
    evaluator: 'PED-ANOVA',
    importances: [
      { parameter: 'lr', importance: 0.9 },
      { parameter: 'seed', importance: 0.1 },
    ],
  }),
};

/** Models a and b with three seeds each, over the API itself; what `mlops` prints. */
const cli = async (spec: object, importance: ImportanceSource = LR_MATTERS) => {
  const fixture = await apiFixture({ routes: [importanceRoute(importance)] });
  const key = { namespace: 'demo', name: 'train' };
  const { uid = '' } = (await given(fixture, 'Experiment', key, { spec })).metadata;
  const trained = [
    ['1', 'a', '0', 0.5],
    ['2', 'a', '1', 0.75],
    ['3', 'a', '2', 0.625],
    ['4', 'b', '0', 1],
    ['5', 'b', '1', 1.125],
    ['6', 'b', '2', 1.25],
  ] as const;
  for (const [hex, model, seed, value] of trained) {
    const run = { runId: id(hex), experiment: { uid, ...key }, name: `run-${hex}` };
    await fixture.runs.createRun({ ...run, userId: 'ada', startTime: 1 });
    const metrics = [{ key: 'loss', value, timestamp: 1, step: 0 }];
    await fixture.runs.logBatch(id(hex), { params: { model, seed }, metrics });
  }
  fixture.cluster.allows = () => true;
  const { authorization } = person(fixture, 'ada');
  const overTheFixture = (async (url: URL, { headers }: { headers: Record<string, string> }) => {
    const { statusCode, body } = await fixture.app.inject({ url: url.href, headers });
    return new Response(body, { status: statusCode });
  }) as unknown as typeof fetch;
  const client = {
    server: 'http://api',
    token: authorization.replace('Bearer ', ''),
    fetch: overTheFixture,
  };
  return async (...args: string[]): Promise<string> => {
    const wanted = readArguments([...args, '-n', 'demo']);
    if (wanted.help) throw new Error('help was not asked for');
    return (await run(wanted, client)).join('\n');
  };
};

describe('mlops compare', () => {
  test('shows in what groups of runs differ, and how much of it may be chance', async () => {
    const mlops = await cli({});
    // scipy.stats.ttest_rel([1, 1.125, 1.25], [.5, .75, .625]): t = 6.9282, p = 0.0202;
    // scipy.stats.t.interval(.95, 2, loc=.625, scale=.125/3**.5) = .3145, .9355
    expect(await mlops('compare', 'train', '--group-by', 'model')).toBe(
      [
        'Experiment demo/train',
        '6 runs in 2 groups',
        '',
        'PARAM  b  a',
        'model  b  a',
        '',
        'LOSS  RUNS  MEAN   95 % INTERVAL',
        'b     3     1.125  0.8145 to 1.436',
        'a     3     0.625  0.3145 to 0.9355',
        'a less b: -0.5 (-0.8105 to -0.1895); paired t p 0.0202, 0.0202 by Holm; Wilcoxon: not enough runs (6 needed)',
      ].join('\n'),
    );
  });

  test('says of single runs that they are not enough, once for all pairs', async () => {
    const mlops = await cli({});
    const page = await mlops('compare', 'train', '--metric', 'loss');
    expect(page).toContain('6 runs in 6 groups');
    expect(page).toContain('run-1  1     0.5    not enough runs (2 needed)');
    expect(page).toContain('15 pairs of groups: not enough runs (2 needed)');
  });

  test('adds for a search what matters', async () => {
    const mlops = await cli(SEARCH);
    const page = await mlops('compare', 'train', '--run', id('1'), '--run', id('4'));
    expect(page.split('\n').slice(-4)).toEqual([
      'WHAT MATTERS FOR loss  SHARE',
      'lr                     0.90   ███████████████████████████',
      'seed                   0.10   ███',
      'by PED-ANOVA',
    ]);
  });

  test('compares where the engine cannot be asked, too', async () => {
    const mlops = await cli(SEARCH, {
      importances: async () => Promise.reject(new Error('connection refused')),
    });
    const page = await mlops('compare', 'train', '--group-by', 'model');
    expect(page).toContain('paired t p 0.0202');
    expect(page).toContain('The search engine did not say what matters: connection refused');
  });
});

describe('mlops importance', () => {
  test('gives the answer as JSON to programs', async () => {
    const mlops = await cli(SEARCH);
    expect(JSON.parse(await mlops('importance', 'train', '-o', 'json'))).toEqual({
      objective: 'loss',
      evaluator: 'PED-ANOVA',
      importances: [
        { parameter: 'lr', importance: 0.9 },
        { parameter: 'seed', importance: 0.1 },
      ],
    });
  });

  test('says that there are not enough runs', async () => {
    const mlops = await cli(SEARCH, {
      importances: async (study) => Promise.reject(new StudyBehind(study, 0)),
    });
    expect(await mlops('importance', 'train')).toContain(
      'Too few trials have finished well to say which parameters matter.',
    );
  });

  test('says of one training, and of an unknown objective, what to do', async () => {
    const one = await cli({});
    await expect(one('importance', 'train')).rejects.toThrow('is one training and no search');
    const mlops = await cli(SEARCH);
    await expect(mlops('importance', 'train', '--objective', 'f1')).rejects.toThrow(
      '?objective=f1 names no objective of this search; it has loss.',
    );
  });
});

describe('mlops', () => {
  test.each([
    [['serve'], 'There is no command "serve"; there are mlops compare and mlops importance.'],
    [['compare'], 'Name one Experiment, as in: mlops compare digits-search -n demo'],
    [['compare', 'a', '-o', 'yaml'], '--output is yaml; it is table or json.'],
    [['compare', 'a', '--colour'], "Unknown option '--colour'"],
  ])('refuses %j', (args, words) => {
    expect(() => readArguments(args)).toThrow(words);
  });

  test('takes server and token from the environment', () => {
    expect(serverOf({})).toBe('http://localhost:8080');
    expect(serverOf({ MLOPS_SERVER: 'https://mlops.example.com' })).toBe(
      'https://mlops.example.com',
    );
    expect(tokenOf({ MLOPS_TOKEN: 'abc\n' })).toBe('abc');
    expect(() => tokenOf({})).toThrow('There is no token: set MLOPS_TOKEN');
    expect(() => tokenOf({ MLOPS_TOKEN_FILE: '/nowhere/token' })).toThrow(
      'MLOPS_TOKEN_FILE cannot be read: ENOENT',
    );
  });

  test('says what to do where nothing answers', async () => {
    const refused = async () => Promise.reject(new TypeError('x', { cause: new Error('ECONN') }));
    const client = { server: 'http://localhost:1', token: 't', fetch: refused };
    await expect(getJson(client, '/x')).rejects.toThrow(
      'http://localhost:1 does not answer (ECONN). Is it forwarded? kubectl port-forward',
    );
  });

  test('says so where something else answers', async () => {
    const page = async () => new Response('<html>');
    const client = { server: 'http://localhost:1', token: 't', fetch: page };
    await expect(getJson(client, '/x')).rejects.toThrow('is it the API of the operator?');
  });

  test('lets no name steer the terminal', async () => {
    const mlops = await cli({
      ...SEARCH,
      objective: { type: 'minimize', objectiveMetricName: 'lo\u001b[2Jss' },
    });
    expect(await mlops('importance', 'train')).toContain('WHAT MATTERS FOR lo?[2Jss');
  });
});
