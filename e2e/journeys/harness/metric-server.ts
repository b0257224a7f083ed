import { nodeServer } from './node-server.ts';
import type { Manifest } from './tenant.ts';

/** What is said of a version; left out, nothing is known of it. */
export type Said = { readonly errors?: number; readonly satisfaction?: number };

/**
 * A pod and its Service `metrics`: it answers queries for `errors{version="…"}` as Prometheus' HTTP
 * API does, and tells at `/kpi/<version>` how content users are.
 */
export const metricServer = (said: Readonly<Record<string, Said>>): readonly Manifest[] =>
  nodeServer({
    name: 'metrics',
    labels: { app: 'metrics' },
    program: PROGRAM,
    env: [{ name: 'SAID', value: JSON.stringify(said) }],
  });

const PROGRAM = `
const said = JSON.parse(process.env.SAID);
require('node:http').createServer(async (asked, answer) => {
  let body = '';
  for await (const chunk of asked) body += chunk;
  const json = (value) => answer.setHeader('content-type', 'application/json').end(JSON.stringify(value));
  if (asked.url === '/api/v1/query') {
    const query = new URLSearchParams(body).get('query') ?? '';
    const version = /^errors\\{service="times-candidate",version="([^"]+)"\\}$/.exec(query)?.[1];
    if (version === undefined) {
      answer.statusCode = 400;
      return json({ status: 'error', errorType: 'bad_data', error: 'parse error: ' + query });
    }
    const errors = said[version]?.errors;
    const value = [Date.now() / 1000, String(errors)];
    const result = errors === undefined ? [] : [{ metric: { version }, value }];
    return json({ status: 'success', data: { resultType: 'vector', result } });
  }
  const version = asked.url.replace('/kpi/', '');
  json({ users: [{ satisfaction: said[version]?.satisfaction ?? null }] });
}).listen(8080);
`;
