import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';

import { startControlPlane } from '../control-plane.ts';
import { kubectl } from '../kubectl.ts';
import { goToolPath } from '../go-tool.ts';
import { readConfig } from '../config.ts';
import { startPostgres } from './postgres.ts';
import { startS3 } from './s3.ts';

const patience = 120_000;
let dir = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'servers-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test(
  'a control plane keeps its objects when its API server restarts',
  async () => {
    const plane = await startControlPlane({ dir });
    const kube = goToolPath(readConfig(), 'kube');
    try {
      await kubectl(kube, plane.kubeconfig, ['create', 'namespace', 'kept']);
      await plane.restartApiserver();
      const found = await kubectl(kube, plane.kubeconfig, ['get', 'ns', 'kept', '-o', 'name']);
      expect(found).toBe('namespace/kept\n');
    } finally {
      await plane.stop();
    }
  },
  patience,
);

test(
  'PostgreSQL gives every test a database of its own',
  async () => {
    const server = await startPostgres({ dir });
    try {
      const client = new Client({ connectionString: await server.createDatabase('of_a_test') });
      await client.connect();
      const { rows } = await client.query<{ name: string }>('select current_database() as name');
      await client.end();
      expect(rows).toEqual([{ name: 'of_a_test' }]);
    } finally {
      await server.stop();
    }
  },
  patience,
);

test(
  'the S3 server refuses a request without credentials',
  async () => {
    const server = await startS3({ dir });
    try {
      expect((await fetch(`${server.endpoint}/`)).status).toBe(403);
    } finally {
      await server.stop();
    }
  },
  patience,
);
