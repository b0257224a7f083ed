import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { startFaultProxy } from './fault-proxy.ts';
import type { Rule } from './rule.ts';
import type { RuleHandle } from './rule-book.ts';

/**
 * The fault proxy as a process of its own:
 * `main.ts --kubeconfig FILE [--port N] [--control-port N] [--seed N] [--rules FILE]`.
 * Prints one JSON line with both URLs. The control URL knows `GET /` (counts of calls and of rules),
 * `PUT /rules/NAME` with a rule, `DELETE /rules/NAME`, `POST /reset`.
 */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    port: { type: 'string', default: '0' },
    'control-port': { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    rules: { type: 'string' },
  },
});
if (values.kubeconfig === undefined)
  throw new Error('Say which API server to stand in front of: --kubeconfig FILE');
const proxy = await startFaultProxy({
  kubeconfig: values.kubeconfig,
  port: Number(values.port),
  seed: Number(values.seed),
});
const handles = new Map<string, RuleHandle>();
const put = (rule: Rule): void => {
  handles.get(rule.name)?.remove();
  handles.set(rule.name, proxy.rules.add(rule));
};
if (values.rules !== undefined)
  for (const rule of JSON.parse(readFileSync(values.rules, 'utf8')) as readonly Rule[]) put(rule);

const control = createServer((request, response) => {
  const name = decodeURIComponent((request.url ?? '/').split('/')[2] ?? '');
  const act = async (): Promise<unknown> => {
    if (request.method === 'PUT') put({ ...((await json(request)) as Rule), name });
    if (request.method === 'DELETE') handles.get(name)?.remove();
    if (request.method === 'POST') proxy.calls.clear();
    return { rules: proxy.rules.counts(), calls: proxy.calls.table() };
  };
  act().then(
    (state) => response.end(JSON.stringify(state)),
    (error: unknown) => response.writeHead(400).end(String(error)),
  );
});
control.listen(Number(values['control-port']), '127.0.0.1', () => {
  const { port } = control.address() as AddressInfo;
  console.log(JSON.stringify({ url: proxy.url, control: `http://127.0.0.1:${port}` }));
});
