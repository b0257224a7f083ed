import { describe, expect, test } from '@jest/globals';
import { estimateMean, pairedTest, studentInterval } from './student.ts';

const A = [0.91, 0.89, 0.93, 0.9, 0.88];
const B = [0.92, 0.91, 0.935, 0.925, 0.89];

describe("Student's t", () => {
  test('bounds a mean', () => {
    // scipy 1.17.1: t.interval(0.95, 4, mean, sem(a)), and of 0.9
    const interval = studentInterval(estimateMean(A), 0.05);
    expect(interval?.lower).toBeCloseTo(0.8781161161190001, 12);
    expect(interval?.upper).toBeCloseTo(0.9258838838809997, 12);
    expect(studentInterval(estimateMean(A), 0.1)?.lower).toBeCloseTo(0.8836611605245185, 12);
  });

  test('compares pairs', () => {
    const result = pairedTest(
      B.map((b, index) => b - (A[index] ?? NaN)),
      0.05,
    );
    // scipy 1.17.1: ttest_rel(b, a), .confidence_interval(0.95)
    expect(result?.df).toBe(4);
    expect(result?.statistic).toBeCloseTo(3.8103173776627215, 11);
    expect(result?.pValue).toBeCloseTo(0.01893497870936199, 12);
    expect(result?.interval.lower).toBeCloseTo(0.003798689290126169, 12);
    expect(result?.interval.upper).toBeCloseTo(0.024201310709873858, 12);
  });

  test('says nothing of one value, or of differences that are all the same', () => {
    expect(studentInterval(estimateMean([1]), 0.05)).toBeUndefined();
    expect(pairedTest([1], 0.05)).toBeUndefined();
    expect(pairedTest([2, 2, 2], 0.05)).toBeUndefined();
  });
});
