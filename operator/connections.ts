import { hkdfSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { s3ArtifactStore } from './artifacts/s3-artifact-store.ts';
import type { ArtifactStore } from './artifacts/artifact-store.ts';
import { ConfigError, type Config, type DatabaseConfig } from './config.ts';
import { HttpSearchEngine } from './hpo/http-search-engine.ts';
import {
  noSearchEngine,
  type ImportanceSource,
  type SearchEngine,
} from './kinds/experiment/search-engine.ts';
import { systemClock } from './runtime/clock.ts';
import { Database, type DatabaseOptions } from './store/database.ts';

/** Opens what the configuration names; secrets are read from their files here and nowhere else. */
export const openDatabase = (
  config: DatabaseConfig | undefined,
  onConnectionLost: (error: Error) => void,
): Database => {
  if (config === undefined) {
    throw new ConfigError([
      'No database is configured: set MLOPS_DATABASE_HOST, or MLOPS_DATABASE_URL_FILE.',
    ]);
  }
  return new Database({ connection: connectionOf(config), onConnectionLost });
};

const connectionOf = (config: DatabaseConfig): DatabaseOptions['connection'] => {
  if ('url' in config) return { url: config.url };
  if ('urlFile' in config) return { url: secretOf(config.urlFile) };
  const { host, port, name, user, passwordFile, tls, caFile } = config;
  return {
    host,
    port,
    database: name,
    user,
    // Read again for every connection, so that a rotated password needs no restart.
    ...(passwordFile !== undefined && {
      password: async () => (await readFile(passwordFile, 'utf8')).trimEnd(),
    }),
    ...(tls !== 'disable' && {
      tls: {
        rejectUnauthorized: tls === 'verify-full',
        ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }),
      },
    }),
  };
};

export const openArtifacts = (s3: Config['s3']): ArtifactStore =>
  s3ArtifactStore({
    endpoint: s3.endpoint,
    presignEndpoint: s3.presignEndpoint,
    region: s3.region,
    bucket: s3.bucket,
    pathStyle: s3.forcePathStyle,
    credentials: {
      accessKeyId: secretOf(s3.accessKeyFile),
      secretAccessKey: secretOf(s3.secretKeyFile),
    },
  });

/**
 * What links to artifacts are signed with: derived (HKDF, RFC 5869) from the store's secret key, which
 * all replicas have. With a new secret key, links given before it end.
 */
export const linkSecretOf = ({ secretKeyFile }: Config['s3']): Uint8Array =>
  derived(secretOf(secretKeyFile), 'mlops links to artifacts');

/** What secrets of webhooks are sealed with, derived alike; with a new secret key they are unreadable. */
export const webhookKeyOf = ({ secretKeyFile }: Config['s3']): Uint8Array =>
  derived(secretOf(secretKeyFile), 'mlops secrets of webhooks');

const derived = (secret: string, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32));

/** Without a service, every question for parameters is answered with how to install one. */
export const openSearch = (url: string | undefined): SearchEngine & ImportanceSource =>
  url === undefined
    ? noSearchEngine()
    : new HttpSearchEngine({ url, clock: systemClock, random: Math.random });

const secretOf = (file: string): string => readFileSync(file, 'utf8').trimEnd();
