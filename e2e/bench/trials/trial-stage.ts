import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { sql } from 'kysely';
import { kinds } from '../../../crds/schema/all.ts';
import {
  startSearchService,
  type SearchService,
} from '../../../operator/hpo/testing/search-service.ts';
import { Database } from '../../../operator/store/database.ts';
import { readConfig } from '../../cluster/config.ts';
import { freePorts } from '../../cluster/servers/free-port.ts';
import { startPostgres, type PostgresServer } from '../../cluster/servers/postgres.ts';
import { startS3, type S3Server } from '../../cluster/servers/s3.ts';
import { until } from '../../faults/harness/until.ts';
import { imageSettings } from '../image-settings.ts';
import { NAMESPACE, startBenchCluster, type BenchCluster } from '../operator/bench-cluster.ts';
import { OperatorProcess } from '../operator/operator-process.ts';

const config = readConfig();
const CRDS = join(config.repository, 'crds');
/** PostgreSQL counts statements by role, so each program has one. */
const ROLES = { operator: 'operator', service: 'service' } as const;
const SCHEMA = 'hpo';

export const EXPERIMENTS = `/apis/mlops.pynomaly.io/v1alpha1/namespaces/${NAMESPACE}/experiments`;
export const JOBS = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;

/**
 * All that a search runs on, but nothing that runs a pod: kube-apiserver with etcd, PostgreSQL, S3, the
 * Optuna service and the operator, each a process of its own on loopback. The last two can be killed and
 * started again, PostgreSQL too; all keep their ports and their data.
 */
export class TrialStage {
  readonly cluster: BenchCluster;
  readonly #dir: string;
  readonly #bundle: string;
  readonly #s3: S3Server;
  readonly #ports: { readonly service: number; readonly api: number; readonly health: number };
  #postgres: PostgresServer;
  #service: SearchService | undefined;
  #operator: OperatorProcess | undefined;
  #account: { readonly kubeconfig: string; readonly user: string } | undefined;

  private constructor(
    dir: string,
    bundle: string,
    servers: { cluster: BenchCluster; s3: S3Server; postgres: PostgresServer },
    ports: readonly number[],
  ) {
    const [service = 0, api = 0, health = 0] = ports;
    this.#dir = dir;
    this.#bundle = bundle;
    this.cluster = servers.cluster;
    this.#s3 = servers.s3;
    this.#postgres = servers.postgres;
    this.#ports = { service, api, health };
  }

  /** `bundle`: the operator's program. `dir`: an empty folder that PostgreSQL's own user may pass through (mode 711). */
  static async open(dir: string, bundle: string): Promise<TrialStage> {
    const cluster = await startBenchCluster(join(dir, 'cluster'));
    const s3 = await startS3({ dir: join(dir, 's3') });
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), settings: SETTINGS });
    const stage = new TrialStage(dir, bundle, { cluster, s3, postgres }, await freePorts(3));
    await stage.#prepare();
    return stage;
  }

  get operator(): OperatorProcess {
    if (this.#operator === undefined) throw new Error('The operator has not been started.');
    return this.#operator;
  }

  /** The operator's account, as the audit log names it. */
  get user(): string {
    return this.#account?.user ?? '';
  }

  get serviceUrl(): string {
    return `http://127.0.0.1:${this.#ports.service}`;
  }

  databaseUrl(role: keyof typeof ROLES): string {
    return `postgres://${ROLES[role]}@127.0.0.1:${this.#postgres.port}/postgres`;
  }

  /** A pool of one's own, as superuser. */
  database(): Database {
    return new Database({
      connection: { url: this.#postgres.url },
      onConnectionLost: () => undefined,
    });
  }

  async startService(): Promise<void> {
    const url = this.databaseUrl('service');
    this.#service = await startSearchService(url, SCHEMA, {
      HPO_PORT: String(this.#ports.service),
    });
  }

  async killService(): Promise<void> {
    await this.#service?.kill();
    this.#service = undefined;
  }

  /** As a machine that loses its power: what was committed is there when it is back. */
  async killPostgres(): Promise<void> {
    process.kill(this.#postgres.pid, 'SIGKILL');
    await this.#postgres.stop();
  }

  async startPostgres(): Promise<void> {
    const { port } = this.#postgres;
    const options = { dir: join(this.#dir, 'postgres'), port, settings: SETTINGS };
    this.#postgres = await startPostgres(options);
  }

  async startOperator(): Promise<void> {
    this.#account ??= await this.cluster.accountOf('operator');
    const { flags, env } = imageSettings(join(config.repository, 'operator/Containerfile'));
    const { kubeconfig } = this.#account;
    this.#operator = OperatorProcess.start(
      {
        ...{ name: 'ours', version: process.version, command: process.execPath },
        args: () => [...flags, this.#bundle],
        env: { ...env, KUBECONFIG: kubeconfig, ...this.#environment() },
      },
      kubeconfig,
      { workers: 4 },
      join(this.#dir, 'operator.log'),
    );
    const ready = `http://127.0.0.1:${this.#ports.health}/readyz`;
    await until('the operator to be ready', 60, async () =>
      (await fetch(ready)).ok ? true : undefined,
    );
  }

  operatorLog(): string {
    return readFileSync(join(this.#dir, 'operator.log'), 'utf8');
  }

  async close(): Promise<void> {
    await this.#operator?.stop('SIGTERM');
    await this.#service?.stop();
    await this.#postgres.stop();
    await this.#s3.stop();
    await this.cluster.stop();
  }

  async #prepare(): Promise<void> {
    const database = this.database();
    await sql`create extension pg_stat_statements`.execute(database.db);
    for (const role of Object.values(ROLES))
      await sql.raw(`create role ${role} superuser login`).execute(database.db);
    await database.close();
    const { api } = this.cluster;
    const files = readdirSync(CRDS).filter((name) => name.endsWith('.yaml'));
    await api.each(files, (file) =>
      api.call(
        'POST',
        '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
        load(readFileSync(join(CRDS, file), 'utf8')) as object,
      ),
    );
    for (const { plural } of kinds)
      await until(`the kind ${plural}`, 60, async () => {
        const { code } = await api.call(
          'GET',
          EXPERIMENTS.replace('experiments', plural),
          undefined,
          [404, 429, 503],
        );
        return code === 200 ? true : undefined;
      });
  }

  #environment(): Readonly<Record<string, string>> {
    const keys = join(this.#dir, 's3-keys');
    mkdirSync(keys, { recursive: true });
    writeFileSync(join(keys, 'access'), this.#s3.accessKeyId, { mode: 0o600 });
    writeFileSync(join(keys, 'secret'), this.#s3.secretAccessKey, { mode: 0o600 });
    return {
      MLOPS_NAMESPACE: NAMESPACE,
      MLOPS_LEADER_ELECTION: 'false',
      MLOPS_API_PORT: String(this.#ports.api),
      MLOPS_HEALTH_PORT: String(this.#ports.health),
      MLOPS_DATABASE_URL: this.databaseUrl('operator'),
      MLOPS_HPO_URL: this.serviceUrl,
      MLOPS_S3_ENDPOINT: this.#s3.endpoint,
      MLOPS_S3_REGION: this.#s3.region,
      MLOPS_S3_ACCESS_KEY_FILE: join(keys, 'access'),
      MLOPS_S3_SECRET_KEY_FILE: join(keys, 'secret'),
    };
  }
}

/** A commit waits until it is written, as a user's does; and statements are counted. */
const SETTINGS = ['synchronous_commit=on', 'shared_preload_libraries=pg_stat_statements'];
