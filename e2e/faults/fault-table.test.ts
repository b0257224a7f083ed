import { describe, expect, test } from '@jest/globals';
import { faultTable } from './fault-table.ts';

describe('the table of fault cases', () => {
  test('lists them by number with what was measured, and counts a suite that did not load', () => {
    const done = (title: string, status: string) => ({ title, status, duration: 1500 });
    const report = {
      testResults: [
        {
          name: 'a',
          message: '',
          assertionResults: [
            done('12: events come twice', 'passed'),
            done('2: the leader is stopped', 'failed'),
            done('5: not asked for', 'pending'),
          ],
        },
        { name: 'b.faults.test.ts', message: 'SyntaxError', assertionResults: [] },
      ],
    };
    expect(faultTable(report, [{ caseNumber: 12, text: '3 writes' }]).split('\n')).toEqual([
      'case  result      time  what was done',
      '   2  failed     1.5 s  the leader is stopped',
      '  12  passed     1.5 s  events come twice',
      '                        3 writes',
      '      failed              b.faults.test.ts did not load',
      '1/3 fault cases',
    ]);
  });
});
