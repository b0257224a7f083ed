/** A VirtualService that splits units, as a Deployment under an ABTest has it, and who asks it. */
import {
  bucketRanges,
  bucketRegex,
  type CandidateShare,
} from '../../../operator/traffic/buckets.ts';
import { GATEWAY, type Gateway } from './gateway.ts';
import type { Manifest } from './tenant.ts';

const VARIANT_HEADER = 'x-mlops-variant';

/** Routes of the candidates by bucket ahead of that of control; each variant is a Service. */
export const splitUnits = (
  name: string,
  host: string,
  shares: readonly CandidateShare[],
): Manifest => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name },
  spec: {
    hosts: [host],
    gateways: [GATEWAY],
    http: [
      ...bucketRanges(shares)
        .filter(({ buckets }) => buckets.length > 0)
        .map(({ name: variant, buckets }) => ({
          name: `candidate-${variant}`,
          match: [
            { headers: { 'x-mlops-bucket': { regex: bucketRegex(buckets) } }, gateways: [GATEWAY] },
          ],
          route: [to(variant)],
        })),
      { name: 'weighted', route: [to('control')] },
    ],
  },
});

const to = (variant: string) => ({
  destination: { host: variant },
  headers: {
    request: { set: { [VARIANT_HEADER]: variant } },
    response: { set: { [VARIANT_HEADER]: variant } },
  },
});

export type Headers = Readonly<Record<string, string | string[]>>;

/** What came back: the variant as the response has it, and the headers that reached the pod. */
export type Seen = {
  readonly variant: unknown;
  readonly unit: string | undefined;
  readonly podVariant: string | undefined;
  readonly bucket: string | undefined;
};

export const see = async (gateway: Gateway, host: string, headers: Headers = {}): Promise<Seen> => {
  const { status, headers: answered, body } = await gateway.ask(host, '/', { headers });
  if (status !== 200) throw new Error(`${host} answered ${status}: ${body}`);
  const reached = JSON.parse(body) as Record<string, string>;
  return {
    variant: answered[VARIANT_HEADER],
    unit: reached['x-mlops-unit'],
    podVariant: reached[VARIANT_HEADER],
    bucket: reached['x-mlops-bucket'],
  };
};

const AT_ONCE = 32;

/** What is asked of every unit. */
export type Questions = {
  readonly gateway: Gateway;
  readonly host: string;
  readonly units: readonly string[];
  readonly times: number;
  readonly headersOf: (unit: string) => Headers;
};

/** The variant of each unit, asked so many times each; fails when one unit has seen two. */
export const variantsOf = async (questions: Questions): Promise<ReadonlyMap<string, string>> => {
  const { gateway, host, times, headersOf } = questions;
  const variants = new Map<string, string>();
  const units = questions.units.values();
  const ask = async () => {
    for (const unit of units) {
      for (let count = 0; count < times; count++) {
        const seen = await see(gateway, host, headersOf(unit));
        const variant = variants.get(unit) ?? String(seen.variant);
        if (seen.variant !== variant || seen.podVariant !== variant || seen.unit !== unit) {
          throw new Error(`${unit} had ${variant} and now saw ${JSON.stringify(seen)}`);
        }
        variants.set(unit, variant);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return variants;
};
