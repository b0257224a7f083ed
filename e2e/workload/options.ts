import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import type { LeaseTimes } from '../../operator/runtime/lease-times.ts';

/** What `main.ts` is told by its flags. */
export type WorkloadOptions = {
  /** Path; absent: as kubectl finds it. */
  readonly kubeconfig: string | undefined;
  /** A plain http URL that needs no credentials, instead of the kubeconfig's server. */
  readonly server: string | undefined;
  readonly namespace: string | undefined;
  readonly workers: number;
  readonly identity: string;
  readonly lease: { readonly namespace: string; readonly name: string } | undefined;
  /** As in client-go when absent. */
  readonly leaseTimes: LeaseTimes | undefined;
  readonly shards: number;
  /** How often caches are compared with the server; absent: as the runtime does. */
  readonly verifyMs: number | undefined;
  /** 0: none. */
  readonly healthPort: number;
  readonly logLevel: string;
};

export class OptionError extends Error {
  override readonly name = 'OptionError';
  readonly code = 'InvalidOption';
}

/** @throws OptionError */
export const parseOptions = (args: readonly string[]): WorkloadOptions => {
  const flags = flagsOf(args);
  return {
    kubeconfig: flags.kubeconfig,
    server: flags.server,
    namespace: flags.namespace,
    workers: count('workers', flags.workers),
    identity: flags.identity ?? `${hostname()}-${process.pid}`,
    lease: flags.lease === undefined ? undefined : leaseOf(flags.lease),
    leaseTimes: flags['lease-times'] === undefined ? undefined : timesOf(flags['lease-times']),
    shards: count('shards', flags.shards),
    verifyMs: flags['verify-ms'] === undefined ? undefined : count('verify-ms', flags['verify-ms']),
    healthPort: count('health-port', flags['health-port']),
    logLevel: flags['log-level'],
  };
};

const flagsOf = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        kubeconfig: { type: 'string' },
        server: { type: 'string' },
        namespace: { type: 'string' },
        workers: { type: 'string', default: '8' },
        identity: { type: 'string' },
        lease: { type: 'string' },
        'lease-times': { type: 'string' },
        shards: { type: 'string', default: '1' },
        'verify-ms': { type: 'string' },
        'health-port': { type: 'string', default: '0' },
        'log-level': { type: 'string', default: 'warn' },
      },
    }).values;
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
};

const count = (flag: string, text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new OptionError(`--${flag} takes a whole number that is not negative, not "${text}".`);
};

const leaseOf = (text: string): { readonly namespace: string; readonly name: string } => {
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (namespace !== '' && name !== '' && rest.length === 0) return { namespace, name };
  throw new OptionError(`--lease takes NAMESPACE/NAME, not "${text}".`);
};

/** `3000/2000/500`: lease, renew deadline and retry period in milliseconds. */
const timesOf = (text: string): LeaseTimes => {
  const [leaseMs, renewDeadlineMs, retryMs, ...rest] = text.split('/').map(Number);
  const complete = [leaseMs, renewDeadlineMs, retryMs].every((each) => Number.isInteger(each));
  if (!complete || rest.length > 0)
    throw new OptionError(`--lease-times takes LEASE/RENEW_DEADLINE/RETRY in ms, not "${text}".`);
  return { leaseMs: leaseMs ?? 0, renewDeadlineMs: renewDeadlineMs ?? 0, retryMs: retryMs ?? 0 };
};
