import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Config } from '../config.ts';
import { imagePackages, installPackages } from '../debian-packages.ts';
import type { Progress } from '../progress.ts';
import { buildah, imageExists, signaturePolicy } from './buildah.ts';
import {
  baseRef,
  imageDefinition,
  imageRef,
  type ImageDefinition,
  type ImageName,
} from './catalog.ts';

type Context = { readonly config: Config; readonly progress: Progress };

/** Name → ref, as printed by images-list and written to .build/images.json. */
export type ImageRefs = Readonly<Record<string, string>>;

/** Builds those of the images that are not in our storage yet, bases first; returns all refs. */
export async function buildImages(
  context: Context,
  names: readonly ImageName[],
): Promise<ImageRefs> {
  const { config, progress } = context;
  await installPackages(progress, imagePackages, join(config.cache, 'logs', 'apt.log'));
  const refs: Record<string, string> = {};
  for (const name of names) refs[name] = await buildImage(context, name);
  return refs;
}

/** Prepares what refs depend on (bundles), without building any image. */
export async function imageRefs(
  { config, progress }: Context,
  names: readonly ImageName[],
): Promise<ImageRefs> {
  const refs: Record<string, string> = {};
  for (const name of names) {
    await imageDefinition(name).prepare?.(config, progress);
    refs[name] = imageRef(config, name);
  }
  return refs;
}

export function writeImageRefs(config: Config, refs: ImageRefs): void {
  mkdirSync(config.build, { recursive: true });
  writeFileSync(join(config.build, 'images.json'), `${JSON.stringify(refs, null, 2)}\n`);
}

/** Pushes images to the registry their refs name. */
export async function pushImages({ config, progress }: Context, refs: ImageRefs): Promise<void> {
  for (const ref of Object.values(refs)) {
    await progress.step(`pushing ${ref}`, () =>
      buildah(config, ['push', ...signaturePolicy(config), ref, `docker://${ref}`]),
    );
  }
}

async function buildImage(context: Context, name: ImageName): Promise<string> {
  const { config, progress } = context;
  const definition = imageDefinition(name);
  await definition.prepare?.(config, progress);
  const ref = imageRef(config, name);
  if (await imageExists(config, ref)) return ref;
  await buildBaseOf(context, definition);
  await progress.step(`building image ${name}`, async () => {
    await definition.collect?.(config, progress);
    await buildFromContainerfile(config, name, ref);
  });
  return ref;
}

async function buildBaseOf(context: Context, definition: ImageDefinition): Promise<void> {
  const { baseImage, nodeBaseImage } = context.config;
  const local = { ...context, config: { ...context.config, registry: 'localhost' } };
  if (definition.base === 'debian' && baseImage === undefined)
    await buildImage(local, 'mlops-base');
  if (definition.base === 'node' && nodeBaseImage === undefined) {
    await buildImage(local, 'mlops-base-node');
  }
}

async function buildFromContainerfile(config: Config, name: ImageName, ref: string): Promise<void> {
  const definition = imageDefinition(name);
  const trust = existsSync(certificates)
    ? { options: ['--volume', `${certificates}:${mounted}:ro`], build: { PIP_CERT: mounted } }
    : { options: [], build: {} };
  const buildArguments = {
    BASE_IMAGE: baseRef(config, definition.base),
    TARGETARCH: process.arch === 'x64' ? 'amd64' : process.arch,
    ...config.buildEnvironment,
    ...trust.build,
  };
  const args = [
    ...['bud', '--isolation', 'chroot', '--layers', '--format', 'oci', '--pull=false'],
    ...signaturePolicy(config),
    ...Object.entries(buildArguments).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...(definition.base === 'scratch' ? [] : trust.options),
    ...['-f', join(config.repository, definition.containerfile), '-t', ref],
    definition.context(config),
  ];
  // What a failed or killed build left behind holds a mount for ever.
  await buildah(config, ['rm', '--all']);
  await buildah(config, args, join(config.cache, 'logs', `image-${name}.log`));
}

/** The authorities this machine trusts, for package managers in a build; not part of any image. */
const certificates = '/etc/ssl/certs/ca-certificates.crt';
const mounted = '/run/build-certificates.crt';
