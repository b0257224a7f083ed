import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { chosen, exactlyOneOf, shaped, withRules } from './schema/rules.ts';
import { NotStructuralError, structural } from './structural.ts';

const field = (schema: z.ZodType) =>
  structural(z.strictObject({ field: schema })).properties?.['field'];

describe('what zod says becomes what a CRD says', () => {
  test('text with its bounds and pattern', () => {
    expect(field(z.string().min(1).max(5).regex(/^a$/).describe('A text.'))).toEqual({
      description: 'A text.',
      type: 'string',
      minLength: 1,
      maxLength: 5,
      pattern: '^a$',
    });
  });

  test('a shaped text gets a rule with its message instead of a pattern', () => {
    expect(field(shaped(z.string().max(9), /^a\.b$/, 'must be a.b'))).toEqual({
      type: 'string',
      maxLength: 9,
      'x-kubernetes-validations': [
        { rule: String.raw`self.matches(r'^a\.b$')`, message: 'must be a.b' },
      ],
    });
  });

  test('choices', () => {
    expect(field(z.enum(['a', 'b']))).toEqual({ type: 'string', enum: ['a', 'b'] });
  });

  test('a choice with a message gets a rule with it instead of a list', () => {
    expect(field(chosen(z.enum(['a', 'b']), 'must be a or b; c is gone'))).toEqual({
      type: 'string',
      maxLength: 256,
      'x-kubernetes-validations': [
        { rule: "self in [r'a', r'b']", message: 'must be a or b; c is gone' },
      ],
    });
  });

  test('a single choice', () => {
    expect(field(z.literal('Job'))).toEqual({ type: 'string', enum: ['Job'] });
  });

  test('a whole number is int64, without the bounds of a double', () => {
    expect(field(z.int())).toEqual({ type: 'integer', format: 'int64' });
  });

  test('a whole number with small bounds is int32', () => {
    expect(field(z.int().min(1).max(100))).toEqual({
      type: 'integer',
      format: 'int32',
      minimum: 1,
      maximum: 100,
    });
  });

  test('the greatest int32 is said by the format alone', () => {
    expect(field(z.int().min(0).max(2147483647))).toEqual({
      type: 'integer',
      format: 'int32',
      minimum: 0,
    });
  });

  test('a number with an open bound', () => {
    expect(field(z.number().gt(0).lt(1))).toEqual({
      type: 'number',
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      exclusiveMaximum: true,
    });
  });

  test('yes or no', () => {
    expect(field(z.boolean().default(false))).toEqual({ type: 'boolean', default: false });
  });

  test('null, where it is allowed', () => {
    expect(field(z.string().nullable())).toEqual({ type: 'string', nullable: true });
  });

  test('a time', () => {
    expect(field(z.string().meta({ format: 'date-time' }))).toEqual({
      type: 'string',
      format: 'date-time',
    });
  });

  test('required fields are those without default that are not optional', () => {
    const schema = z.strictObject({
      a: z.string(),
      b: z.string().optional(),
      c: z.string().default('x'),
    });
    expect(structural(schema).required).toEqual(['a']);
  });

  test('a closed object has its properties and no additionalProperties', () => {
    expect(structural(z.strictObject({ a: z.boolean().optional() }))).toEqual({
      type: 'object',
      properties: { a: { type: 'boolean' } },
    });
  });

  test('an open object keeps what it does not know', () => {
    expect(structural(z.looseObject({ a: z.boolean() }))).toEqual({
      type: 'object',
      properties: { a: { type: 'boolean' } },
      required: ['a'],
      'x-kubernetes-preserve-unknown-fields': true,
    });
  });

  test('a map has additionalProperties and no properties', () => {
    const map = z.record(z.string(), z.string().max(3)).meta({ maxProperties: 4 });
    expect(field(map)).toEqual({
      type: 'object',
      maxProperties: 4,
      additionalProperties: { type: 'string', maxLength: 3 },
    });
  });

  test('anything', () => {
    expect(field(z.unknown())).toEqual({ 'x-kubernetes-preserve-unknown-fields': true });
  });

  test('a whole number or text', () => {
    const quantity = z
      .union([
        z.int(),
        z
          .string()
          .max(8)
          .regex(/^[0-9]+m?$/),
      ])
      .meta({ 'x-kubernetes-int-or-string': true });
    expect(field(quantity)).toEqual({
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      maxLength: 8,
      pattern: '^[0-9]+m?$',
      'x-kubernetes-int-or-string': true,
    });
  });

  test('a list with its kind and keys', () => {
    const list = z
      .array(z.strictObject({ name: z.string() }))
      .min(1)
      .max(3)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });
    expect(field(list)).toEqual({
      type: 'array',
      minItems: 1,
      maxItems: 3,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    });
  });

  test('an object that is filled in, and its fields after it', () => {
    const object = z.strictObject({ a: z.string().default('x') }).prefault({});
    expect(field(object)).toEqual({
      type: 'object',
      default: {},
      properties: { a: { type: 'string', default: 'x' } },
    });
  });

  test('rules stand on the schema they were given to, one after the other', () => {
    const first = { rule: 'self != ""', message: 'say something' };
    const schema = withRules(withRules(z.string(), first), exactlyOneOf(['a', 'b'], 'choose one'));
    expect(structural(schema)['x-kubernetes-validations']).toEqual([
      first,
      { rule: '(has(self.a) ? 1 : 0) + (has(self.b) ? 1 : 0) == 1', message: 'choose one' },
    ]);
  });

  test('rules keep the description', () => {
    const schema = withRules(z.string().describe('A text.'), { rule: 'true', message: 'never' });
    expect(structural(schema).description).toBe('A text.');
  });
});

describe('what a CRD cannot say is refused with its place', () => {
  const refusal = (schema: z.ZodType): unknown => {
    try {
      return structural(schema);
    } catch (error) {
      return error;
    }
  };

  test.each([
    ['a union', z.strictObject({ a: z.union([z.string(), z.int()]) }), 'a: a union'],
    ['a tuple', z.strictObject({ a: z.strictObject({ b: z.tuple([z.string()]) }) }), 'a.b'],
    ['an intersection', z.intersection(z.string(), z.int()), 'the root: allOf'],
    [
      'a default inside a list item',
      z.strictObject({ list: z.array(z.strictObject({ a: z.string().default('x') })) }),
      'list[].a: no defaults inside list items',
    ],
    ['a key we do not know', z.strictObject({ a: z.string().meta({ 'x-typo': 1 }) }), 'a: x-typo'],
  ])('%s', (_, schema, says) => {
    const error = refusal(schema);
    expect(error).toBeInstanceOf(NotStructuralError);
    expect(error).toMatchObject({ code: 'NOT_STRUCTURAL', message: expect.stringContaining(says) });
  });
});
