import { readFileSync } from 'node:fs';
import { readArguments, USAGE, type Arguments } from './arguments.ts';
import { readTest } from './manifest.ts';
import { prove } from './proof.ts';
import { readUnits } from './recorded-units.ts';
import { replay } from './replay.ts';
import { planOf } from './simulation-plan.ts';
import { simulate } from './simulate.ts';

const main = async (): Promise<number> => {
  const wanted = readArguments(process.argv.slice(2));
  if (wanted.help) {
    console.log(USAGE);
    return 0;
  }
  if (wanted.proof) return prove(wanted);
  const file = wanted.test ?? '';
  const spec = readTest(contentOf(file), file);
  if (wanted.replay !== undefined) {
    const rows = readUnits(contentOf(wanted.replay), wanted.replay, spec);
    for (const line of replay(spec, rows, wanted.looks)) console.log(line);
    return 0;
  }
  const verdicts = await simulate(file, planOf(spec, wanted), wanted);
  return wanted.check && verdicts.some(({ holds }) => !holds) ? 1 : 0;
};

const contentOf = (file: Arguments['test'] & string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
};

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
