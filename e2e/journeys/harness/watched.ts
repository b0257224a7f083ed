import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import { settings } from './settings.ts';
import { until } from './until.ts';

/** One event of a watch: what some fields were from then on. */
export type Change<Field extends string> = {
  /** When it came, in milliseconds. */
  readonly at: number;
  readonly isDeleted: boolean;
  readonly fields: Readonly<Record<Field, string>>;
};

/** Not a tab: kubectl makes spaces of them. */
const SEPARATOR = '|';

/** What the API server tells of the objects of a kind, from now until it is stopped. */
export class Watched<Field extends string> {
  readonly changes: Change<Field>[] = [];
  readonly #child: ChildProcess;
  readonly #names: readonly Field[];
  #ended: string | undefined;

  private constructor(names: readonly Field[], child: ChildProcess) {
    this.#names = names;
    this.#child = child;
  }

  /** `fields`: JSONPaths within the object by name, as kubectl takes them, such as `.metadata.name`. */
  static async start<Field extends string>(
    namespace: string,
    kind: string,
    fields: Readonly<Record<Field, string>>,
  ): Promise<Watched<Field>> {
    const names = Object.keys(fields) as Field[];
    const columns = names.map((name) => `${SEPARATOR}{.object${fields[name]}}`).join('');
    const { kubectl, kubeconfig } = settings();
    const child = spawn(
      kubectl,
      [
        ...['--kubeconfig', kubeconfig, '-n', namespace, 'get', kind],
        ...['--watch', '--output-watch-events', '-o', `jsonpath={.type}${columns}{"\\n"}`],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const watched = new Watched(names, child);
    createInterface({ input: child.stdout }).on('line', (line) => watched.#read(line));
    child.once('close', (code) => (watched.#ended = `kubectl ended with ${code}`));
    await until(`the first ${kind}`, 30, async () =>
      watched.changes.length > 0 ? true : undefined,
    );
    return watched;
  }

  /** Throws if the watch ended by itself: what it saw would not be all. */
  stop(): void {
    if (this.#ended !== undefined) throw new Error(`the watch broke off: ${this.#ended}`);
    this.#child.kill();
  }

  #read(line: string): void {
    const [type, ...values] = line.split(SEPARATOR);
    const pairs = this.#names.map((name, index) => [name, values[index] ?? ''] as const);
    this.changes.push({
      at: Date.now(),
      isDeleted: type === 'DELETED',
      fields: Object.fromEntries(pairs) as Record<Field, string>,
    });
  }
}
