import { readConfig } from '../../cluster/config.ts';
import { writeOverlay } from '../../demo/overlay.ts';
import { kubectl, tryKubectl, type Answer } from './kubectl.ts';
import { settings } from './settings.ts';

/** A folder of `examples/`, such as `02-canary/next`, with the images that are here. */
const overlayOf = (example: string): string =>
  writeOverlay(readConfig(), settings().images, example, example.replaceAll('/', '-'));

/** `kubectl apply -k examples/…`, as its README has it. */
export const applyExample = (example: string): Promise<string> =>
  kubectl(['apply', '-k', overlayOf(example)]);

/** What the live objects differ in from what was applied. */
export const exampleDiff = (example: string): Promise<Answer> =>
  tryKubectl(['diff', '-k', overlayOf(example)]);
