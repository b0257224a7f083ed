import crypto from 'node:crypto';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

type Patch = { readonly owner: object; readonly name: string; readonly value: unknown };

/**
 * Runs work while the real clock, real timers, real randomness and the network cannot be reached:
 * whoever tries gets an error, and it is noted, because a retry would hide that. So is a rejection
 * that nobody handles.
 *
 * @param immediate what `setImmediate` means inside
 */
export const sealed = async <T>(
  immediate: (callback: () => void) => void,
  work: (breaches: readonly string[]) => Promise<T>,
): Promise<T> => {
  const breaches: string[] = [];
  const refuse = (what: string) => (): never => {
    breaches.push(what);
    throw new Error(`${what} is not to be used in a simulation: pass a clock, a random or a port.`);
  };
  const restore = patched([
    { owner: globalThis, name: 'setImmediate', value: immediate },
    { owner: globalThis, name: 'setTimeout', value: refuse('setTimeout') },
    { owner: globalThis, name: 'setInterval', value: refuse('setInterval') },
    { owner: globalThis, name: 'Date', value: dateWithoutNow(refuse) },
    { owner: globalThis, name: 'fetch', value: refuse('fetch') },
    { owner: Math, name: 'random', value: refuse('Math.random') },
    { owner: performance, name: 'now', value: refuse('performance.now') },
    { owner: crypto, name: 'randomUUID', value: refuse('randomUUID') },
    { owner: crypto, name: 'randomBytes', value: refuse('randomBytes') },
    { owner: dns, name: 'lookup', value: refuse('dns.lookup') },
    { owner: dns.promises, name: 'lookup', value: refuse('dns.lookup') },
    { owner: net.Socket.prototype, name: 'connect', value: refuse('a socket') },
  ]);
  const unhandled = (error: unknown): void =>
    void breaches.push(`no handler for ${error instanceof Error ? error.stack : String(error)}`);
  process.on('unhandledRejection', unhandled);
  try {
    return await work(breaches);
  } finally {
    process.off('unhandledRejection', unhandled);
    restore();
  }
};

const patched = (patches: readonly Patch[]): (() => void) => {
  const before = patches.map(({ owner, name }) => ({
    owner,
    name,
    own: Object.getOwnPropertyDescriptor(owner, name),
  }));
  for (const { owner, name, value } of patches)
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  syncBuiltinESMExports();
  return () => {
    for (const { owner, name, own } of before) {
      if (own === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, own);
    }
    syncBuiltinESMExports();
  };
};

const dateWithoutNow = (refuse: (what: string) => () => never): DateConstructor =>
  new Proxy(Date, {
    construct: (target, parameters, newTarget) =>
      parameters.length === 0
        ? refuse('new Date()')()
        : (Reflect.construct(target, parameters, newTarget) as object),
    get: (target, name) =>
      name === 'now' ? refuse('Date.now') : (Reflect.get(target, name) as unknown),
  });
