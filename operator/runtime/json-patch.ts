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
  let container = document as Container;
  for (const name of names) container = (container as Record<string, unknown>)[name] as Container;
  if (typeof container !== 'object' || container === null) throw refused(operation);
  const exists = Object.hasOwn(container, last);
  if (!exists && (operation.op === 'remove' || operation.op === 'replace'))
    throw refused(operation);
  switch (operation.op) {
    case 'test':
      if (!same((container as Record<string, unknown>)[last], operation.value))
        throw new ApiError(
          409,
          'Conflict',
          `test ${operation.path} does not hold: the object has changed`,
        );
      return;
    case 'remove':
      if (Array.isArray(container)) container.splice(Number(last), 1);
      else delete container[last];
      return;
    case 'add':
      if (Array.isArray(container))
        container.splice(last === '-' ? container.length : Number(last), 0, operation.value);
      else container[last] = operation.value;
      return;
    case 'replace':
      (container as Record<string, unknown>)[last] = operation.value;
  }
};

const refused = (operation: JsonPatchOperation): ApiError =>
  new ApiError(422, 'Invalid', `${operation.op} ${operation.path} does not hold`);
