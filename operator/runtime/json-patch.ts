import { ApiError, type JsonPatchOperation } from './cluster.ts';
import { same } from './coverage.ts';

type Container = Record<string, unknown> | unknown[];

/** RFC 6902 add, replace, remove and test. A `test` that does not hold is a Conflict. */
export const applyJsonPatch = (
  document: unknown,
  operations: readonly JsonPatchOperation[],
): unknown => {
  const result = structuredClone(document);
  for (const operation of operations) applyOne(result, operation);
  return result;
};

const applyOne = (document: unknown, operation: JsonPatchOperation): void => {
  const names = operation.path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop() ?? '';
  let container: unknown = document;
  for (const name of names)
    container = isContainer(container) ? fieldsOf(container)[name] : undefined;
  if (!isContainer(container)) throw refused(operation);
  const exists = Object.hasOwn(container, last);
  if (operation.op === 'test') check(fieldsOf(container)[last], operation);
  else if (operation.op === 'add') add(container, last, operation.value);
  else if (!exists) throw refused(operation);
  else if (operation.op === 'replace') fieldsOf(container)[last] = operation.value;
  else remove(container, last);
};

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null;

const fieldsOf = (container: Container): Record<string, unknown> =>
  container as Record<string, unknown>;

const check = (
  value: unknown,
  operation: JsonPatchOperation & { readonly op: 'test' | 'add' | 'replace' },
): void => {
  if (same(value, operation.value)) return;
  throw new ApiError(
    409,
    'Conflict',
    `test ${operation.path} does not hold: the object has changed`,
  );
};

const add = (container: Container, name: string, value: unknown): void => {
  if (!Array.isArray(container)) container[name] = value;
  else container.splice(name === '-' ? container.length : Number(name), 0, value);
};

const remove = (container: Container, name: string): void => {
  if (Array.isArray(container)) container.splice(Number(name), 1);
  else delete container[name];
};

const refused = (operation: JsonPatchOperation): ApiError =>
  new ApiError(422, 'Invalid', `${operation.op} ${operation.path} does not hold`);
