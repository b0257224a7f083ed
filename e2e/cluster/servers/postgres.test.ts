import { expect, test } from '@jest/globals';

import { newestVersion } from './postgres.ts';

test('takes the newest PostgreSQL by number, not by letter', () => {
  expect(newestVersion(['9.6', '15', '13'])).toBe('15');
});
