import { join } from 'node:path';

import { run } from '../command.ts';
import type { Config } from '../config.ts';
import { istioModule } from '../go-tool.ts';

/** Files of the Istio module, in Go's module cache; they are read-only. */
export type IstioSources = {
  /** Folders of its Helm charts. */
  readonly charts: { readonly base: string; readonly istiod: string; readonly gateway: string };
  /** All of Istio's CRDs in one YAML file, for API servers without Istio. */
  readonly crds: string;
  /** The template from which pilot-agent writes Envoy's first configuration. */
  readonly envoyBootstrap: string;
};

/** Finds them, in the version that go/istio pins; Go fetches the module once per machine. */
export async function istioSources(config: Config): Promise<IstioSources> {
  const answer = await run('go', ['mod', 'download', '-json', 'istio.io/istio'], {
    cwd: join(config.repository, istioModule),
  });
  const { Dir: module } = JSON.parse(answer) as { readonly Dir: string };
  const charts = join(module, 'manifests/charts');
  return {
    charts: {
      base: join(charts, 'base'),
      istiod: join(charts, 'istio-control/istio-discovery'),
      gateway: join(charts, 'gateway'),
    },
    crds: join(charts, 'base/files/crd-all.gen.yaml'),
    envoyBootstrap: join(module, 'tools/packaging/common/envoy_bootstrap.json'),
  };
}
