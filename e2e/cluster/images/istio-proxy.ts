import { cpSync } from 'node:fs';
import { join } from 'node:path';

import type { Config } from '../config.ts';
import { goTool } from '../go-tool.ts';
import { istioSources } from '../istio/sources.ts';
import type { Progress } from '../progress.ts';

/** Puts Istio's agent and its template of Envoy's first configuration into `context`. */
export async function collectIstioProxy(
  config: Config,
  progress: Progress,
  context: string,
): Promise<void> {
  const { envoyBootstrap } = await istioSources(config);
  cpSync(envoyBootstrap, join(context, 'envoy_bootstrap.json'));
  cpSync(await goTool(config, progress, 'pilot-agent'), join(context, 'pilot-agent'));
  const requirements = 'e2e/cluster/images/istio-proxy/requirements.txt';
  cpSync(join(config.repository, requirements), join(context, 'requirements.txt'));
}
