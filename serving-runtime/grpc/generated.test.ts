import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const here = import.meta.dirname;
const programs = join(here, '../../node_modules/.bin');

test('the generated messages are those of the .proto files (make generate)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'grpc-'));
  execFileSync(join(programs, 'buf'), ['generate', 'proto', '-o', folder], {
    cwd: here,
    env: { ...process.env, PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}` },
  });
  const files = readdirSync(join(here, 'generated'));
  expect(readdirSync(join(folder, 'generated'))).toEqual(files);
  for (const file of files) {
    const made = readFileSync(join(folder, 'generated', file), 'utf8');
    expect(readFileSync(join(here, 'generated', file), 'utf8')).toBe(made);
  }
  rmSync(folder, { recursive: true });
});
