/** How the text of an environment variable is read; each schema says what it wants when it fails. */
import { z } from 'zod';

type Fail = z.RefinementCtx;

const refuse = (ctx: Fail, message: string): never => {
  ctx.addIssue({ code: 'custom', message });
  return z.NEVER;
};

export const integer = (min: number, max: number) =>
  z.string().transform((text, ctx): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    return refuse(ctx, `"${text}" is not a whole number from ${min} to ${max}.`);
  });

export const flag = z.string().transform((text, ctx): boolean => {
  if (text === 'true' || text === 'false') return text === 'true';
  return refuse(ctx, `"${text}" is neither true nor false.`);
});

/** Comma separated; spaces around entries and empty entries are dropped. */
export const list = z.string().transform((text): readonly string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

/** Without the trailing slash. Never echoes the value, which may carry a password. */
export const url = (protocols: readonly string[]) =>
  z.string().transform((text, ctx): string => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (parsed !== undefined && protocols.includes(parsed.protocol.slice(0, -1))) {
      return text.replace(/\/+$/, '');
    }
    return refuse(ctx, `is no URL that starts with ${protocols.join(':// or ')}://.`);
  });

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `1h30m`, `500ms`; milliseconds. */
export const duration = z.string().transform((text, ctx): number => {
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) {
    return refuse(ctx, `"${text}" is no duration such as 30s, 5m or 1h30m.`);
  }
  return [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS],
    0,
  );
});

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity of bytes: `1073741824`, `1Gi`, `500M`. */
export const bytes = z.string().transform((text, ctx): number => {
  const match = /^(\d+)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text);
  const value = match === null ? NaN : Number(match[1]) * (FACTORS[match[2] ?? ''] ?? NaN);
  if (value >= 1 && value <= Number.MAX_SAFE_INTEGER) return value;
  return refuse(ctx, `"${text}" is no positive number of bytes such as 1073741824 or 1Gi.`);
});

const amount = z.string().regex(/^\d+(\.\d+)?([mkMGTPE]|[KMGTPE]i)?$/, 'is no Kubernetes quantity');
const amounts = z.record(z.string(), z.union([amount, z.number().min(0).transform(String)]));
const resourceAmounts = z.strictObject({
  requests: amounts.default({}),
  limits: amounts.default({}),
});

/** `{"requests": {"cpu": "100m"}, "limits": {}}` */
export const resources = z.string().transform((text, ctx): z.infer<typeof resourceAmounts> => {
  const result = resourceAmounts.safeParse(json(text));
  if (result.success) return result.data;
  const wrong = result.error.issues
    .map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`)
    .join('; ');
  return refuse(ctx, `is not JSON of requests and limits (${wrong}).`);
});

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Workers = { readonly default: number; readonly byKind: Readonly<Record<string, number>> };

/** `4` or `4,experiments=8`: for all controllers, and exceptions by plural. */
export const workers = z.string().transform((text, ctx): Workers => {
  const [first = '', ...exceptions] = text.split(',').map((part) => part.trim());
  const pairs = exceptions.map((part) => /^([a-z]+)=([1-9]\d{0,2})$/.exec(part));
  if (!/^[1-9]\d{0,2}$/.test(first) || pairs.includes(null)) {
    return refuse(ctx, `"${text}" is not a number of workers such as 4, or 4,experiments=8.`);
  }
  const byKind = Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', Number(pair?.[2])]));
  return { default: Number(first), byKind };
});
