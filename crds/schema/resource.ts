import type { z } from 'zod';
import type { Condition } from './conditions.ts';
import type { PrinterColumn } from './columns.ts';
import type { Rule } from './rules.ts';

export const GROUP = 'mlops.pynomaly.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** Plain data, readonly all the way down: what informers hand out is shared and never changed. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/** Metadata of an object the apiserver has stored; timestamps are RFC 3339 in UTC. */
export type ObjectMeta = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
};

/** What every status holds; the runtime writes both at the end of each pass. */
export type StatusBase = {
  readonly observedGeneration?: number | undefined;
  readonly conditions?: readonly Condition[] | undefined;
};

/** One of our objects as the apiserver serves it, defaults filled in. */
export type Resource<Spec = unknown, Status = unknown> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
};

/** What a user writes: defaults may be left out, and only a name is needed in metadata. */
export type Manifest<Definition extends KindDefinition> = {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: Definition['kind'];
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: DeepReadonly<z.input<Definition['spec']>>;
};

/** Spec as the apiserver serves it after defaulting. */
export type Served<Schema extends z.ZodType> = DeepReadonly<z.output<Schema>>;

/** Everything the generators and the runtime need to know about one kind. */
export type KindDefinition<
  Spec extends z.ZodType = z.ZodType,
  Status extends z.ZodType = z.ZodType,
> = {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly description: string;
  readonly spec: Spec;
  readonly status: Status;
  readonly printerColumns: readonly PrinterColumn[];
  /** CEL on the root of the object: it sees metadata.name, spec and status, and oldSelf on updates. */
  readonly rules?: readonly Rule[];
  readonly scale?: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath: string;
  };
  /** False: objects are accepted and validated, and say `Ready=Unknown, reason=NotImplemented`. */
  readonly implemented: boolean;
};

/** Keeps the exact types of spec and status, so that `Served<typeof model.spec>` knows its fields. */
export function defineKind<Spec extends z.ZodType, Status extends z.ZodType>(
  definition: Omit<KindDefinition<Spec, Status>, 'categories'>,
): KindDefinition<Spec, Status> {
  return { ...definition, categories: ['mlops'] };
}
