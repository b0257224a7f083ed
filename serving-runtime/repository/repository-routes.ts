/** The repository extension over REST. */
import type { IncomingMessage } from 'node:http';
import { parseJson } from '../parse-json.ts';
import { isRecord } from '../protocol/is-record.ts';
import { invalidRequest } from '../protocol/protocol-error.ts';
import { checkBodyHeaders, readBody } from '../read-body.ts';
import type { RepositoryParts } from './repository-api.ts';
import { indexOf, loadModel, unloadModel } from './repository-api.ts';

export type RepositoryRoute =
  { readonly kind: 'index' } | { readonly kind: 'load' | 'unload'; readonly model: string };

const limits = { maxBytes: 64 * 1024, withinMs: 10_000 };

/** The body of a 200. Throws ProtocolError. */
export async function answerRepository(
  parts: RepositoryParts,
  route: RepositoryRoute,
  request: IncomingMessage,
): Promise<unknown> {
  checkBodyHeaders(request, limits.maxBytes);
  const body = readObject(await readBody(request, limits));
  if (route.kind === 'index') {
    const { ready = false } = body;
    if (typeof ready !== 'boolean') throw invalidRequest('ready: is neither true nor false');
    return indexOf(parts, { ready });
  }
  const { parameters = {} } = body;
  if (!isRecord(parameters)) throw invalidRequest('parameters: is not an object');
  const change = route.kind === 'load' ? loadModel : unloadModel;
  await change(parts, route.model, parameters);
  return indexOf(parts, {}).filter(({ name }) => name === route.model);
}

function readObject(body: Buffer): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  const value = parseJson(body, false);
  if (isRecord(value)) return value;
  throw invalidRequest('the body is not a JSON object; send {} or nothing');
}
