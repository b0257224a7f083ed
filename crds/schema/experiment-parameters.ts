import { z } from 'zod';
import { listMap, listOf, text } from './fields.ts';
import { shaped, withRules } from './rules.ts';

const NUMBER = /^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$/;

const isWhole = (field: string) =>
  `(!has(self.feasibleSpace.${field}) || self.feasibleSpace.${field}.matches('^[-+]?[0-9]+$'))`;

const number = (description: string) =>
  shaped(
    z.string().min(1).max(32).describe(`${description} A number, as text.`),
    NUMBER,
    'must be a number written as text, such as "16", "0.5" or "1e-4"',
  );

const feasibleSpace = withRules(
  z
    .strictObject({
      min: number('Least value of a double or int.').optional(),
      max: number('Greatest value of a double or int.').optional(),
      step: number('Distance between values of a double or int.').optional(),
      list: listOf(z.string().max(128), 'The values of a discrete or categorical.', {
        min: 1,
        max: 256,
      }).optional(),
      distribution: z
        .enum(['uniform', 'logUniform', 'normal', 'logNormal'])
        .describe(
          'How values of a double or int are spread: uniform (the default), logUniform, normal or logNormal.',
        )
        .optional(),
    })
    .describe('The values a parameter can take.'),
  {
    rule: '!has(self.min) || !has(self.max) || double(self.min) <= double(self.max)',
    message: 'min must not be greater than max',
  },
  {
    rule: '!has(self.step) || double(self.step) > 0.0',
    message: 'step must be greater than 0',
  },
  {
    rule: `!has(self.distribution) || !self.distribution.startsWith('log') || (has(self.min) && double(self.min) > 0.0)`,
    message: 'logUniform and logNormal need a min greater than 0',
  },
);

const parameter = withRules(
  z.strictObject({
    name: shaped(
      z.string().min(1).max(63).describe('Name of the parameter.'),
      /^[A-Za-z0-9_./-]+$/,
      'must hold only letters, digits, "_", ".", "/" and "-"',
    ),
    parameterType: z
      .enum(['double', 'int', 'discrete', 'categorical'])
      .describe('double or int with min and max; discrete (numbers) or categorical with a list.'),
    feasibleSpace,
    when: z
      .strictObject({
        parameter: text('Name of a discrete or categorical that stands earlier in the list.', 63),
        in: listOf(z.string().max(128), 'Values of that parameter.', { min: 1, max: 256 }),
      })
      .describe(
        'The parameter is drawn only in trials in which the other one has one of these values; elsewhere its placeholder is empty.',
      )
      .optional(),
  }),
  {
    rule: `!(self.parameterType in ['double', 'int']) || (has(self.feasibleSpace.min) && has(self.feasibleSpace.max) && !has(self.feasibleSpace.list))`,
    message: 'a double or int needs feasibleSpace.min and feasibleSpace.max, and no list',
  },
  {
    rule: `self.parameterType in ['double', 'int'] || (has(self.feasibleSpace.list) && !has(self.feasibleSpace.min) && !has(self.feasibleSpace.max) && !has(self.feasibleSpace.step) && !has(self.feasibleSpace.distribution))`,
    message:
      'a discrete or categorical needs feasibleSpace.list, and no min, max, step or distribution',
  },
  {
    rule: `self.parameterType != 'int' || (${['min', 'max', 'step'].map(isWhole).join(' && ')})`,
    message: 'min, max and step of an int must be whole numbers',
  },
  {
    // A short expression and a conversion that fails: the whole expression would cost too much.
    rule: `self.parameterType != 'discrete' || !has(self.feasibleSpace.list) || self.feasibleSpace.list.all(v, v.matches('^[-+.0-9eE]+$') && double(v) == double(v))`,
    message: 'the list of a discrete must hold numbers; use categorical for words',
  },
);

export const parameters = listMap(
  parameter,
  'What is searched over; left out, the Experiment is one tracked training Job.',
  { max: 100 },
);
