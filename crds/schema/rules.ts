import type { z } from 'zod';

/** One CEL rule (`x-kubernetes-validations`); the message says what to do, not only what is wrong. */
export type Rule = {
  readonly rule: string;
  readonly message: string;
  /** Where the fault is shown, relative to the schema the rule stands on, e.g. `.spec.version`. */
  readonly fieldPath?: string;
  /** How the apiserver introduces the message; left out, "Invalid value". */
  readonly reason?: 'FieldValueForbidden';
};

export const VALIDATIONS = 'x-kubernetes-validations';

/** The schema with the rules added to those it has; give rules before `.optional()` and defaults. */
export function withRules<Schema extends z.ZodType>(schema: Schema, ...rules: Rule[]): Schema {
  const before = (schema.meta()?.[VALIDATIONS] ?? []) as readonly Rule[];
  return schema.meta({ ...schema.meta(), [VALIDATIONS]: [...before, ...rules] });
}

export const PATTERN_MESSAGE = 'x-mlops-pattern-message';

/**
 * A string of a certain shape. The apiserver quotes a bare `pattern` at people; with a message,
 * the CRD gets a CEL rule instead, while zod and JSON Schema keep the pattern.
 */
export function shaped(schema: z.ZodString, pattern: RegExp, message: string): z.ZodString {
  const described = schema.meta() ?? {};
  return schema.regex(pattern, message).meta({ ...described, [PATTERN_MESSAGE]: message });
}

export const CHOICE_MESSAGE = 'x-mlops-choice-message';

/**
 * One of some words. The apiserver would only list them; with a message, the CRD gets a CEL rule
 * that says what to do instead, while zod and JSON Schema keep the enum.
 */
export function chosen<Choices extends z.ZodEnum>(schema: Choices, message: string): Choices {
  return schema.meta({ ...schema.meta(), [CHOICE_MESSAGE]: message });
}

/** The field is known, so that the refusal can say what to do, and must not be set. */
export function notSupported(field: string, message: string): Rule {
  return {
    rule: `!has(self.${field})`,
    message: `${field} is not supported: ${message}`,
    reason: 'FieldValueForbidden',
    fieldPath: `.${field}`,
  };
}

/** Exactly one of the fields is set. */
export function exactlyOneOf(fields: readonly string[], message: string): Rule {
  return { rule: `${countSet(fields)} == 1`, message };
}

/** At least one of the fields is set. */
export function atLeastOneOf(fields: readonly string[], message: string): Rule {
  return { rule: fields.map((field) => `has(self.${field})`).join(' || '), message };
}

/** Each field keeps the value, or the absence, it was created with. */
export function immutable(fields: readonly string[], whatToDo: string): Rule[] {
  return fields.map((field) => ({
    rule: unchanged('self', 'oldSelf', field),
    message: `${field} cannot be changed: ${whatToDo}`,
    reason: 'FieldValueForbidden',
    fieldPath: `.${field}`,
  }));
}

/** CEL that is true when a field is the same in both, absent in both included. */
export function unchanged(now: string, before: string, field: string): string {
  const [a, b] = [`${now}.${field}`, `${before}.${field}`];
  return `has(${a}) == has(${b}) && (!has(${a}) || ${a} == ${b})`;
}

/** Names of children and label values are made from the object's name, so it must fit. */
export function nameIsDnsLabel(max: number): Rule[] {
  return [
    {
      rule: `size(self.metadata.name) <= ${max}`,
      message: `metadata.name must be at most ${max} characters, so that the names of its children fit`,
      fieldPath: '.metadata.name',
    },
    {
      rule: `self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
      message:
        'metadata.name must start with a letter and hold only a-z, 0-9 and "-" (no dots), so that its children can be named after it',
      fieldPath: '.metadata.name',
    },
  ];
}

function countSet(fields: readonly string[]): string {
  return fields.map((field) => `(has(self.${field}) ? 1 : 0)`).join(' + ');
}
