import { describe, expect, test } from '@jest/globals';
import { element, escaped, words } from './svg.ts';

describe('text in an SVG', () => {
  test('cannot become markup', () => {
    expect(escaped(`</text><script>alert("1" + '2') & x`)).toBe(
      '&lt;/text&gt;&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;) &amp; x',
    );
    expect(element('rect', { fill: '"><script>' })).toBe('<rect fill="&quot;&gt;&lt;script&gt;"/>');
  });

  test('holds no character that XML forbids', () => {
    expect(escaped('a\u0000b\u001bc\ud800d\uffffe\n')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde\n');
  });

  test('is cut to the letters there is room for', () => {
    expect(words('abcdef', {}, 4)).toBe('<text>abc…</text>');
    expect(words('😀😀😀', {}, 3)).toBe('<text>😀😀😀</text>');
    expect(words('x'.repeat(1_000_000), {}, 3)).toBe('<text>xx…</text>');
  });
});
