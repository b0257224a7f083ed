/** How an image starts its program, so that a bundle is measured as it is shipped. */
import { readFileSync } from 'node:fs';

export type ImageSettings = {
  readonly env: Readonly<Record<string, string>>;
  /** Node's flags before the program. */
  readonly flags: readonly string[];
};

/** Reads ENV lines (NAME=value or NAME="value with spaces") and an ENTRYPOINT in JSON form. */
export const imageSettings = (containerfile: string): ImageSettings => {
  const text = readFileSync(containerfile, 'utf8');
  const settings = [...text.matchAll(/^ENV (.*)$/gm)].map(([, line = '']) => line).join(' ');
  const env = Object.fromEntries(
    [...settings.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)].map(([, name = '', quoted, plain]) => [
      name,
      quoted ?? plain ?? '',
    ]),
  );
  const words = /^ENTRYPOINT (\[.*\])$/m.exec(text)?.[1];
  if (words === undefined) throw new Error(`${containerfile} has no ENTRYPOINT in JSON form`);
  // ["node", …flags, "/app/main.js"]
  return { env, flags: (JSON.parse(words) as readonly string[]).slice(1, -1) };
};
