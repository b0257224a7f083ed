import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Config } from '../config.ts';
import { goTool, goToolKey, type GoToolName } from '../go-tool.ts';
import type { Progress } from '../progress.ts';
import { baseParts, collectBase } from './base.ts';
import { bundleOperator, bundleServingRuntime } from './bundle.ts';
import { folderParts, shortHash } from './hash.ts';
import { collectIstioProxy } from './istio-proxy.ts';

export type Base = 'scratch' | 'debian' | 'node';

/** One image of ours: where its Containerfile is, and how its build context comes about. */
export type ImageDefinition = {
  readonly base: Base;
  /** Relative to the repository. */
  readonly containerfile: string;
  readonly context: (config: Config) => string;
  /** Fills the context; must be quick when nothing changed, because it runs before every build. */
  readonly prepare?: (config: Config, progress: Progress) => Promise<void>;
  /** What, besides Containerfile and base, makes two builds differ. */
  readonly parts: (config: Config) => readonly string[];
  /** Fills the context only when the image is really built. */
  readonly collect?: (config: Config, progress: Progress) => Promise<void>;
};

const images = {
  'mlops-base': {
    base: 'scratch',
    containerfile: 'e2e/cluster/images/base/Containerfile',
    context: (config) => join(config.build, 'images', 'base'),
    collect: (config) => collectBase(config, emptyContext(config, 'base')),
    parts: () => baseParts,
  },
  'mlops-base-node': {
    base: 'debian',
    containerfile: 'e2e/cluster/images/node/Containerfile',
    context: (config) => join(config.build, 'images', 'node'),
    collect: async (config) => {
      const context = emptyContext(config, 'node');
      cpSync(join(config.repository, 'node_modules/node/bin/node'), join(context, 'node'));
    },
    parts: (config) => [
      readFileSync(join(config.repository, 'node_modules/node/package.json'), 'utf8'),
    ],
  },
  pause: goImage('pause', 'scratch'),
  'mlops-metrics-server': goImage('metrics-server', 'scratch'),
  'mlops-istio-pilot': goImage('pilot-discovery', 'scratch', 'istio-pilot'),
  'mlops-istio-proxy': {
    base: 'debian',
    containerfile: 'e2e/cluster/images/istio-proxy/Containerfile',
    context: (config) => join(config.build, 'images/istio-proxy'),
    collect: (config, progress) =>
      collectIstioProxy(config, progress, emptyContext(config, 'istio-proxy')),
    parts: (config) => [
      goToolKey(config, 'pilot-agent'),
      ...folderParts(join(config.repository, 'e2e/cluster/images/istio-proxy')),
    ],
  },
  'mlops-s3': goImage('versitygw', 'debian', 's3'),
  'mlops-postgresql': folderImage('e2e/cluster/images/postgresql', 'debian'),
  'mlops-operator': {
    base: 'node',
    containerfile: 'operator/Containerfile',
    context: (config) => join(config.build, 'operator'),
    prepare: (config) => bundleOperator(config),
    parts: (config) => folderParts(join(config.build, 'operator')),
  },
  'mlops-serving-runtime': {
    base: 'node',
    containerfile: 'serving-runtime/Containerfile',
    context: (config) => join(config.build, 'serving-runtime'),
    prepare: (config) => bundleServingRuntime(config),
    parts: (config) => folderParts(join(config.build, 'serving-runtime')),
  },
  'mlops-operator-hpo': {
    base: 'debian',
    containerfile: 'operator/hpo/Containerfile',
    context: (config) => join(config.repository, 'operator/hpo'),
    parts: (config) => [
      readFileSync(join(config.repository, 'operator/hpo/requirements.txt'), 'utf8'),
      ...folderParts(join(config.repository, 'operator/hpo/optuna_service')),
    ],
  },
  'mlops-trainer-digits': folderImage('examples/01-train-and-serve/trainer', 'debian'),
} as const satisfies Record<string, ImageDefinition>;

export type ImageName = keyof typeof images;

/** What the local cluster needs to run at all. */
export const systemImages: readonly ImageName[] = ['mlops-base', 'pause', 'mlops-metrics-server'];

/** Istio's own programs; only journeys that steer traffic need them. */
export const istioImages = [
  'mlops-istio-pilot',
  'mlops-istio-proxy',
] as const satisfies readonly ImageName[];

/** What users, mirrors and air-gapped sites need; the others are only of use here. */
export const publishedImages: readonly ImageName[] = [
  'mlops-operator',
  'mlops-serving-runtime',
  'mlops-operator-hpo',
  'mlops-trainer-digits',
  'mlops-postgresql',
  'mlops-s3',
];

export function imageDefinition(name: ImageName): ImageDefinition {
  return images[name];
}

/** Full name of an image: the tag is a hash of all that goes in, so a change gives a new name. */
export function imageRef(config: Config, name: ImageName): string {
  const definition = imageDefinition(name);
  const recipe = readFileSync(join(config.repository, definition.containerfile), 'utf8');
  const base = baseRef(config, definition.base);
  const tag = shortHash([recipe, process.arch, base, ...definition.parts(config)]);
  return `${config.registry}/${name}:${tag}`;
}

/** What `BASE_IMAGE` is for an image: one built here, unless the user named another. */
export function baseRef(config: Config, base: Base): string {
  switch (base) {
    case 'scratch':
      return 'scratch';
    case 'debian':
      return config.baseImage ?? localRef(config, 'mlops-base');
    case 'node':
      return config.nodeBaseImage ?? localRef(config, 'mlops-base-node');
  }
}

/** Base images stay here whatever registry the others are for. */
function localRef(config: Config, name: ImageName): string {
  return imageRef({ ...config, registry: 'localhost' }, name);
}

function goImage(tool: GoToolName, base: Base, folder: string = tool): ImageDefinition {
  return {
    base,
    containerfile: `e2e/cluster/images/${folder}/Containerfile`,
    context: (config) => join(config.build, 'images', folder),
    parts: (config) => [goToolKey(config, tool)],
    collect: async (config, progress) => {
      const binary = await goTool(config, progress, tool);
      cpSync(binary, join(emptyContext(config, folder), tool));
    },
  };
}

function folderImage(folder: string, base: Base): ImageDefinition {
  return {
    base,
    containerfile: `${folder}/Containerfile`,
    context: (config) => join(config.repository, folder),
    parts: (config) => folderParts(join(config.repository, folder)),
  };
}

function emptyContext(config: Config, name: string): string {
  const folder = join(config.build, 'images', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}
