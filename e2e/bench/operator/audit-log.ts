import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One request of an operator, as the API server's audit log has it. */
export type AuditedRequest = {
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string;
  readonly code: number;
};

type AuditEvent = {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
};

/** The API server's flags for a log of what service accounts of `namespace` ask for. */
export const auditFlags = (dir: string, namespace: string): readonly string[] => {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'Metadata', userGroups: [`system:serviceaccounts:${namespace}`] },
      { level: 'None' },
    ],
  };
  const policyFile = join(dir, 'audit-policy.json');
  writeFileSync(policyFile, JSON.stringify(policy));
  return [
    `--audit-policy-file=${policyFile}`,
    `--audit-log-path=${auditFile(dir)}`,
    '--audit-log-maxsize=100000',
  ];
};

const auditFile = (dir: string): string => join(dir, 'audit.log');

/** Reads an audit log as it grows; each request is told once, also a watch that is still open. */
export class AuditLog {
  readonly #file: string;
  #offset = 0;
  #rest = '';
  /** Watches that were told when they began: their end is not another request. */
  readonly #open = new Set<string>();

  constructor(dir: string) {
    this.#file = auditFile(dir);
  }

  /** The requests since the last call. */
  read(): readonly AuditedRequest[] {
    const lines = (this.#rest + this.#grown()).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => {
      const event = JSON.parse(line) as AuditEvent;
      if (event.stage === 'ResponseStarted') this.#open.add(event.auditID);
      else if (this.#open.delete(event.auditID)) return [];
      return [requestOf(event)];
    });
  }

  #grown(): string {
    const file = openSync(this.#file, 'r');
    const chunks: Buffer[] = [];
    try {
      for (;;) {
        const chunk = Buffer.alloc(1 << 20);
        const length = readSync(file, chunk, 0, chunk.length, this.#offset);
        if (length === 0) return Buffer.concat(chunks).toString('utf8');
        this.#offset += length;
        chunks.push(chunk.subarray(0, length));
      }
    } finally {
      closeSync(file);
    }
  }
}

const requestOf = (event: AuditEvent): AuditedRequest => ({
  user: event.user.username,
  verb: event.verb,
  resource: event.objectRef?.resource ?? '',
  subresource: event.objectRef?.subresource ?? '',
  code: event.responseStatus?.code ?? 0,
});

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export const isWrite = ({ verb }: AuditedRequest): boolean => WRITES.has(verb);

/** `patch apps/status 200` → how often, the most frequent first. */
export const tally = (requests: readonly AuditedRequest[]): Readonly<Record<string, number>> => {
  const counts = new Map<string, number>();
  for (const { verb, resource, subresource, code } of requests) {
    const place = subresource === '' ? resource : `${resource}/${subresource}`;
    const key = `${verb} ${place} ${code}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, left], [, right]) => right - left));
};
