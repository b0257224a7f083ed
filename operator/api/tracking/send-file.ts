import type { FastifyReply, FastifyRequest } from 'fastify';
import { ArtifactNotFound } from '../../artifacts/artifact-errors.ts';
import type { ByteRange } from '../../artifacts/artifact-store.ts';
import type { RouteContext } from '../route-context.ts';
import { MlflowError } from './mlflow-error.ts';

/**
 * Streams a file, or the one range of it that was asked for (RFC 9110, 14), so that a download that
 * broke off can go on. Several ranges, and ranges of a file that has changed since, get all of it.
 */
export const sendFile = async (
  { artifacts }: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  key: string,
): Promise<FastifyReply> => {
  const stat = await artifacts.stat(key);
  if (stat === undefined) throw new ArtifactNotFound(key);
  const tag = `"${stat.modifiedAt.getTime().toString(36)}-${stat.sizeBytes.toString(36)}"`;
  void reply.header('accept-ranges', 'bytes').header('etag', tag);
  const { range: wanted, 'if-range': ifRange } = request.headers;
  const range = ifRange === undefined || ifRange === tag ? rangeOf(wanted, stat.sizeBytes) : 'all';
  if (range === 'none') {
    void reply.header('content-range', `bytes */${stat.sizeBytes}`);
    throw new MlflowError(
      'INVALID_PARAMETER_VALUE',
      `The file has ${stat.sizeBytes} bytes; "${String(wanted).slice(0, 64)}" is no part of it.`,
      { status: 416 },
    );
  }
  const { stream, sizeBytes } = await artifacts.read(key, range === 'all' ? {} : { range });
  if (range !== 'all') {
    void reply
      .code(206)
      .header('content-range', `bytes ${range.start}-${range.end}/${stat.sizeBytes}`);
  }
  // Never as a page of this origin, whatever somebody uploaded.
  return reply
    .header('content-length', sizeBytes)
    .header('content-disposition', 'attachment')
    .type('application/octet-stream')
    .send(stream);
};

/** `bytes=a-b`, `bytes=a-` or `bytes=-n`, within the file; `none` when it lies outside. */
export const rangeOf = (header: string | undefined, size: number): ByteRange | 'all' | 'none' => {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return 'all';
  if (from === '') return lastBytes(Number(to), size);
  if (to !== '' && Number(to) < Number(from)) return 'all';
  const start = Number(from);
  if (start >= size) return 'none';
  return { start, end: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
};

const lastBytes = (count: number, size: number): ByteRange | 'none' =>
  count === 0 || size === 0 ? 'none' : { start: Math.max(0, size - count), end: size - 1 };
