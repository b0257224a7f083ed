import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createApps, names, paths } from './harness/apps.ts';
import { AuditedPlane, isLeadersWrite, NAMESPACE, type Audited } from './harness/audited-plane.ts';
import type { KubeObject } from './harness/kube-client.ts';
import { startOperator, type OperatorProcess } from './harness/operator-process.ts';
import { figure, note, settings } from './harness/settings.ts';
import { until } from './harness/until.ts';

jest.setTimeout(figure(600_000, 3_600_000));

const ROUNDS = figure(10, 100);
const LEASE_MS = 3_000;
const LEASE_TIMES = `${LEASE_MS}/2000/500`;
/** The next write must come within this time after the leader was killed. */
const PATIENCE_MS = LEASE_MS + 2_000;
const APPS = names(20);
const CHANGE_EVERY_MS = 40;
const LEASES = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;

let plane: AuditedPlane;
let replicas = 0;
const churning = new AbortController();
let churn: Promise<number>;

type Replica = { readonly name: string; readonly process: OperatorProcess };
type Lease = KubeObject & { readonly spec: { readonly holderIdentity?: string } };
type Round = { readonly gapMs: number; readonly late: readonly Audited[]; readonly writes: number };

beforeAll(async () => {
  plane = await AuditedPlane.open();
  await createApps(plane.kube, NAMESPACE, APPS, 'first');
});
afterAll(async () => {
  churning.abort();
  await plane.close();
});

const newReplica = async (): Promise<Replica> => {
  const name = `replica-${(replicas += 1)}`;
  const process = startOperator(
    [
      ...['--namespace', NAMESPACE, '--lease', `${NAMESPACE}/app-operator`],
      ...['--lease-times', LEASE_TIMES, '--identity', name],
    ],
    { kubeconfig: await plane.newUser(name), logFile: join(settings.logs, `leader-${name}.log`) },
  );
  await until(`${name} to look at the Lease`, 30, async () =>
    plane.audited().some(({ user, resource }) => user === name && resource === 'leases')
      ? true
      : undefined,
  );
  return { name, process };
};

const holder = async (): Promise<string> =>
  ((await plane.kube.find(`${LEASES}/app-operator`)) as Lease | undefined)?.spec.holderIdentity ??
  '';

/** Changes Apps one after the other until it is stopped; returns how many changes it made. */
const change = async (signal: AbortSignal): Promise<number> => {
  let changes = 0;
  while (!signal.aborted) {
    const name = APPS[changes % APPS.length] ?? '';
    await plane.kube.patch(`${paths(NAMESPACE).apps}/${name}`, {
      spec: { value: `value-${(changes += 1)}` },
    });
    await delay(CHANGE_EVERY_MS);
  }
  return changes;
};

const firstWriteOf = (name: string, since: number): Promise<Audited> =>
  until(`the first write of ${name}`, 30, async () =>
    plane.audited().find((each) => {
      return each.user === name && each.receivedAt >= since && isLeadersWrite(each);
    }),
  );

/** Kills or stops the leader while objects change, and judges by the audit log what came after. */
const round = async (old: Replica, next: Replica, freeze: boolean): Promise<Round> => {
  await firstWriteOf(old.name, 0);
  const at = Date.now();
  await old.process.kill(freeze ? 'SIGSTOP' : 'SIGKILL');
  const first = await firstWriteOf(next.name, at);
  if (freeze) {
    await delay(Math.max(0, at + LEASE_MS + 1_000 - Date.now()));
    await old.process.kill('SIGCONT');
  }
  await delay(1_500);
  const since = plane.audited().filter((each) => each.receivedAt >= at - 60_000);
  return {
    gapMs: first.receivedAt - at,
    late: since.filter((each) => {
      return each.user === old.name && each.endedAt > first.receivedAt && isLeadersWrite(each);
    }),
    writes: since.filter((each) => {
      return each.user === next.name && each.receivedAt >= at && isLeadersWrite(each);
    }).length,
  };
};

describe('a leader under churn', () => {
  test(`2: that is killed, or stopped past its lease, ${ROUNDS} times writes nothing after another has begun, which it does within the lease and 2 s`, async () => {
    let leader = await newReplica();
    await until('a leader', 20, async () => ((await holder()) === leader.name ? true : undefined));
    let standby = await newReplica();
    churn = change(churning.signal);
    const rounds: Round[] = [];
    for (let index = 0; index < ROUNDS; index++) {
      const freeze = index % 2 === 1;
      rounds.push(await round(leader, standby, freeze));
      const spare = freeze ? leader : await newReplica();
      [leader, standby] = [standby, spare];
    }
    churning.abort();
    const changes = await churn;
    const late = rounds.flatMap((each) => each.late);
    const gaps = rounds.map(({ gapMs }) => gapMs);
    const good = rounds.filter((each) => each.late.length === 0 && each.gapMs <= PATIENCE_MS);
    const result =
      `${good.length}/${ROUNDS}; worst gap ${(Math.max(...gaps) / 1000).toFixed(2)} s with a lease of ` +
      `${LEASE_MS / 1000} s; ${late.length} late writes; ${changes} changes, ` +
      `${rounds.reduce((sum, { writes }) => sum + writes, 0)} writes just after a change of leader`;
    process.stderr.write(`leader under churn: ${result}\n`);
    note(2, `under churn: ${result}`);
    await Promise.all([leader, standby].map((each) => each.process.kill('SIGTERM')));
    expect(late).toEqual([]);
    expect(gaps.filter((gap) => gap > PATIENCE_MS)).toEqual([]);
    // Each change of leader is one change of writer: nobody wrote in another's term.
    expect(termsOf(plane.audited().filter(isLeadersWrite))).toHaveLength(ROUNDS + 1);
    expect(rounds.every(({ writes }) => writes > 0)).toBe(true);
  });

  test('2: that ends gracefully is followed within a second', async () => {
    const leader = await newReplica();
    await until('a leader', 20, async () => ((await holder()) === leader.name ? true : undefined));
    const standby = await newReplica();
    const at = Date.now();
    const ending = leader.process.kill('SIGTERM');
    const ms = await until('the hand-over', 10, async () =>
      (await holder()) === standby.name ? Date.now() - at : undefined,
    );
    await ending;
    note(2, `the other held the Lease ${ms} ms after SIGTERM`);
    expect(ms).toBeLessThan(1_000);
    await standby.process.kill('SIGTERM');
  });
});

/** Who wrote, one after the other: a name comes again only when another has written meanwhile. */
const termsOf = (writes: readonly Audited[]): readonly string[] =>
  writes.map(({ user }) => user).filter((user, index, all) => user !== all[index - 1]);
