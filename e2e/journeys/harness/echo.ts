import { nodeServer } from './node-server.ts';
import type { Manifest } from './tenant.ts';

/** Pods that answer every request with its headers as JSON, and their Service of the same name. */
export const echoVariant = (name: string): readonly Manifest[] =>
  nodeServer({
    name,
    labels: { app: 'echo', variant: name },
    program: `require('node:http').createServer((asked, answer) => answer.end(JSON.stringify(asked.headers))).listen(8080)`,
  });
