import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `main.ts` of the journeys prepared: the cluster runs, the chart is installed. */
export type Settings = {
  readonly kubectl: string;
  readonly helm: string;
  readonly kubeconfig: string;
  readonly images: Readonly<Record<string, string>>;
};

export const REPOSITORY = join(import.meta.dirname, '../../..');
export const SETTINGS_FILE = join(REPOSITORY, '.build/journeys.settings.json');

/** How long a deleted object waits for an outside system while journeys run. */
export const FINALIZER_DEADLINE_SECONDS = 30;

export const settings = (): Settings => JSON.parse(readFileSync(SETTINGS_FILE, 'utf8')) as Settings;
