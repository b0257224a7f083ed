import { z } from 'zod';
import { shaped, withRules } from './rules.ts';

/** Field types that more than one kind uses; each takes the description its field is explained with. */

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DURATION = /^([0-9]+(ms|s|m|h|d))+$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const METRIC_NAME = /^[A-Za-z0-9_./: -]+$/;

/** SemVer 2.0.0, the expression of semver.org without its group names. */
export const SEMVER =
  /^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

/** Longest name a Model may have: it is a label value on everything made for it. */
export const MODEL_NAME_MAX = 63;

export const text = (description: string, max = 253) =>
  z.string().min(1).max(max).describe(description);

export const integer = (description: string, min = 0, max = 2147483647) =>
  z.int().min(min).max(max).describe(description);

/** A 64-bit count without an upper bound, for status. */
export const count = (description: string) => z.int().min(0).describe(description);

export const flag = (description: string) => z.boolean().describe(description);

export const time = (description: string) =>
  z.string().meta({ format: 'date-time' }).describe(description);

export const dnsLabel = (description: string, max = 63) =>
  shaped(
    z.string().min(1).max(max).describe(description),
    DNS_LABEL,
    'must hold only a-z, 0-9 and "-", and start and end with a letter or digit',
  );

export const objectName = (description: string, max = 253) =>
  shaped(
    z.string().min(1).max(max).describe(description),
    DNS_SUBDOMAIN,
    'must be the name of an object: a-z, 0-9, "-" and ".", starting and ending with a letter or digit',
  );

export const duration = (description: string) =>
  shaped(
    z
      .string()
      .min(1)
      .max(32)
      .describe(`${description} A duration such as 500ms, 30s, 10m, 1h30m or 14d.`),
    DURATION,
    'must be a duration: whole numbers with ms, s, m, h or d, such as 500ms, 30s, 1h30m or 14d',
  );

export const digest = (description: string) =>
  shaped(
    z.string().min(1).max(128).describe(description),
    DIGEST,
    'must be sha256: followed by 64 lower-case hexadecimal digits, as sha256sum prints them',
  );

export const metricName = (description: string) =>
  shaped(
    z.string().min(1).max(250).describe(description),
    METRIC_NAME,
    'must be the name of a metric: letters, digits, "_", ".", "/", ":", "-" and spaces',
  );

export const semVer = (description: string) =>
  shaped(
    z.string().min(1).max(63).describe(`${description} SemVer 2.0.0, such as 1.4.0 or 2.0.0-rc.1.`),
    SEMVER,
    'must be a version of SemVer 2.0.0: MAJOR.MINOR.PATCH such as 1.4.0 or 2.0.0-rc.1, without a leading "v" or leading zeros',
  );

/** An alias, in the letters of a DNS label because it is part of the ModelAlias's name. */
export const alias = (description: string) =>
  withRules(dnsLabel(description), {
    rule: `self != 'latest' && !self.matches('^v?[0-9]+$')`,
    message:
      '"latest" and names that read as a number (1, v1) are reserved: choose a word such as champion',
  });

/** An object of the same namespace. */
export const localRef = (description: string, what: string, max = 253) =>
  z
    .strictObject({ name: objectName(`Name of ${what} in the same namespace.`, max) })
    .describe(description);

/** A Model: of the same namespace, or of one that shares it. */
export const modelRef = (description: string) =>
  z
    .strictObject({
      name: objectName('Name of the Model.', MODEL_NAME_MAX),
      namespace: dnsLabel(
        'Namespace of the Model when it is another one; refused with reason NotShared unless that Model lists this namespace in spec.sharedWith.',
      ).optional(),
    })
    .describe(description);

/** A list whose items are told apart by a field: server-side apply merges it item by item. */
export const listMap = <Item extends z.ZodType>(
  item: Item,
  description: string,
  size: { readonly min?: number; readonly max: number; readonly key?: string },
) =>
  z
    .array(item)
    .min(size.min ?? 0)
    .max(size.max)
    .describe(description)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [size.key ?? 'name'] });

/** A list without doubles. */
export const setOf = <Item extends z.ZodType>(item: Item, description: string, max: number) =>
  z.array(item).max(max).describe(description).meta({ 'x-kubernetes-list-type': 'set' });

/** A list that is replaced as a whole. */
export const listOf = <Item extends z.ZodType>(
  item: Item,
  description: string,
  size: { readonly min?: number; readonly max: number },
) =>
  z
    .array(item)
    .min(size.min ?? 0)
    .max(size.max)
    .describe(description)
    .meta({ 'x-kubernetes-list-type': 'atomic' });

/** Free key and value pairs, as MLflow's tags are. */
export const tags = (description: string) =>
  withRules(
    z.record(z.string(), z.string().max(5000)).describe(description).meta({ maxProperties: 100 }),
    {
      rule: 'self.all(key, size(key) >= 1 && size(key) <= 250)',
      message: 'a tag needs a name of 1 to 250 characters',
    },
  );

/** A name and its value as text, the way Katib writes settings and assignments. */
export const nameAndValue = (what: string) =>
  z.strictObject({
    name: text(`Name of the ${what}.`, 250),
    value: z.string().max(4096).describe(`Value of the ${what}, as text.`),
  });

/** Cron as CronJob reads it; its time zone stands in a field beside it. */
export const cron = (description: string) =>
  withRules(z.string().min(1).max(128).describe(description), {
    rule: String.raw`self.matches(r'^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[0-9A-Za-z*,/?-]+(\s+[0-9A-Za-z*,/?-]+){4})$')`,
    message:
      'must be five fields (minute hour day-of-month month day-of-week) or @hourly, @daily, @weekly, @monthly, @yearly; put a time zone into timeZone',
  });

/** An IANA time zone; CEL's own time zone lookup refuses what the apiserver does not know. */
export const timeZone = (description: string) =>
  withRules(z.string().min(1).max(64).describe(description), {
    rule: `self.matches('^[A-Za-z0-9_+/-]+$') && self.lowerAscii() != 'local' && timestamp('2024-01-01T12:00:00Z').getFullYear(self) == 2024`,
    message: 'must be a time zone of the IANA database, such as Europe/Berlin or Etc/UTC',
  });
