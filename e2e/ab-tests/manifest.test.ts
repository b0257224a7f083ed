import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readTest } from './manifest.ts';

const conversion = readFileSync(join(import.meta.dirname, 'plans/conversion.yaml'), 'utf8');
const fault = (text: string) => () => readTest(text, 'abtest.yaml');

describe('a manifest', () => {
  test('is read with the defaults the apiserver would give it', () => {
    const spec = readTest(conversion.replace('  maximumRuntime: 14d\n', ''), 'abtest.yaml');
    expect(spec).toMatchObject({ minimumSamples: 100, maximumRuntime: '14d', suspend: false });
  });

  test('is held to the types of its fields, all at once', () => {
    const wrong = conversion
      .replace('alpha: 0.05', 'alpha: 2')
      .replace('weight: 50', 'weight: 101');
    expect(fault(wrong)).toThrow(
      /is not a valid ABTest:\n {2}spec\.candidates\.0\.weight: .*\n {2}spec\.alpha: /,
    );
  });

  test.each([
    [
      'name: challenger',
      'name: control',
      '"control" is the name of what the Deployment serves now',
    ],
    ['type: proportion', 'type: quantile', 'spec.metrics.goal[0]: type quantile needs quantile'],
    [
      'name: conversion\nspec',
      'name: Conversion.1\nspec',
      'metadata.name: metadata.name must start',
    ],
    [
      'metrics:\n    goal:',
      'metrics:\n    goal:\n      - {name: conversion, type: mean, direction: increase}',
      'spec.metrics.goal[1]: has the name of another one',
    ],
    [
      'candidates:',
      'candidates:\n    - {name: other, version: 1.2.0, weight: 60}',
      'spec.candidates: the weights must sum to at most 100',
    ],
  ])('is held to the rules of the contract: %s', (before, after, message) => {
    expect(fault(conversion.replace(before, after))).toThrow(message);
  });

  test('of another kind, and what is no YAML, are refused in words', () => {
    expect(fault(conversion.replace('kind: ABTest', 'kind: Model'))).toThrow(
      /^abtest\.yaml is not an ABTest: it needs apiVersion mlops\.pynomaly\.io\/v1alpha1, kind ABTest/,
    );
    expect(fault('a: [')).toThrow(/^abtest\.yaml is not one YAML document: /);
  });
});
