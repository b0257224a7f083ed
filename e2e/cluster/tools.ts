import { existsSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Config } from './config.ts';
import { goTool } from './go-tool.ts';
import type { Progress } from './progress.ts';

/** A file named kubectl, of the cluster's own version; it is a link to the one binary. */
export async function kubectlPath(config: Config, progress: Progress): Promise<string> {
  const kube = await goTool(config, progress, 'kube');
  const link = join(dirname(kube), 'kubectl');
  if (!existsSync(link)) symlinkSync('kube', link);
  return link;
}
