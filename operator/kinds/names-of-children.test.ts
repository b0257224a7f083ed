import { describe, expect, test } from '@jest/globals';

import { childName, labelValue } from './names-of-children.ts';

const LONG = `${'a'.repeat(60)}-${'b'.repeat(66)}`;

describe('names of children', () => {
  test('stay as they are where they fit', () => {
    expect(labelValue('digits-1.0.0')).toBe('digits-1.0.0');
    expect(childName('digits', 'inspect-1')).toBe('digits-inspect-1');
  });

  test('are shortened to 63 characters, and differ when what is cut off differs', () => {
    expect(labelValue(LONG)).toMatch(/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/);
    expect(labelValue(LONG).length).toBeLessThanOrEqual(63);
    expect(labelValue(LONG)).not.toBe(labelValue(`${LONG}c`));
    expect(childName(LONG, 'inspect-1').length).toBeLessThanOrEqual(63);
    expect(childName(LONG, 'inspect-1')).not.toBe(childName(`${LONG}c`, 'inspect-1'));
  });

  test('hold no dots, which pods cannot have in their host names', () => {
    expect(childName('digits-1.0.0', 'inspect')).toMatch(/^digits-1-0-0-[0-9a-f]{8}-inspect$/);
    expect(childName('digits-1.0.0', 'inspect')).not.toBe(childName('digits-1-0.0', 'inspect'));
  });
});
