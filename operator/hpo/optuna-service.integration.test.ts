import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';

import { serviceFolder, servicePython } from './testing/service-python.ts';

const run = promisify(execFile);
/** They take one; the machine may be busy. */
const MINUTES = 8;

type Case = { readonly file: string; readonly name: string; readonly fault: string | undefined };

/** Runs the service's own tests, which are Python, against the real PostgreSQL. */
const runPytest = async (): Promise<readonly Case[]> => {
  const report = join(tmpdir(), `pytest-${randomUUID()}.xml`);
  const options = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${report}`, 'tests'];
  try {
    await run(await servicePython(), options, {
      cwd: serviceFolder,
      timeout: MINUTES * 60_000,
      maxBuffer: 64 * 1024 * 1024,
      env: {
        PATH: process.env['PATH'] ?? '',
        PYTHONDONTWRITEBYTECODE: '1',
        HPO_TEST_DATABASE_URL: process.env['INTEGRATION_DATABASE_URL'] ?? '',
      },
    });
  } catch (error) {
    // Failed tests are in the report; without one, pytest itself failed.
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; stderr?: string };
    const written = await readFile(report, 'utf8').catch(() => '');
    if (written === '') {
      throw new Error(`pytest did not run:\n${stdout}\n${stderr}`, { cause: error });
    }
  }
  const xml = await readFile(report, 'utf8');
  await rm(report);
  return casesOf(xml);
};

const casesOf = (xml: string): readonly Case[] =>
  [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)]
    .filter(([, , body = '']) => !body.includes('<skipped'))
    .map(([, attributes = '', body = '']) => ({
      file: attribute(attributes, 'classname'),
      name: attribute(attributes, 'name')
        .replace(/^test_/, '')
        .replaceAll('_', ' '),
      fault: /<(failure|error)\b/.test(body) ? unescaped(body) : undefined,
    }));

const attribute = (attributes: string, name: string): string =>
  unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };
const unescaped = (text: string): string =>
  text.replaceAll(/&(lt|gt|quot|amp);/g, (_, name: string) => ENTITIES[name] ?? '');

// Before the tests are declared, so that each test of pytest is one here and counts as one.
const cases = await runPytest();

describe('the search service in Python', () => {
  test('has tests', () => {
    expect(cases.length).toBeGreaterThan(100);
  });

  test.each(cases.map(({ file, name, fault }) => [file, name, fault] as const))(
    '%s: %s',
    (_file, _name, fault) => {
      expect(fault).toBeUndefined();
    },
  );
});
