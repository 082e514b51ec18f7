import { describe, expect, it } from 'vitest';
import { pieces, webAddress } from './stranger';

describe('text of strangers', () => {
  it('is left as it is where everything can be seen', () => {
    expect(pieces('<b>Binance</b> {{x}} שלום 👩‍💻')).toEqual([{ text: '<b>Binance</b> {{x}} שלום 👩‍💻' }]);
    expect(pieces('')).toEqual([]);
  });

  it('shows what turns the direction of writing', () => {
    expect(pieces('pay \u202egpj.exe')).toEqual([
      { text: 'pay ' },
      { text: 'U+202E', code: 'right-to-left override' },
      { text: 'gpj.exe' },
    ]);
  });

  it('shows characters of no width, controls and tags', () => {
    expect(pieces('Bin\u200dance').map((p) => p.text)).toEqual(['Bin', 'U+200D', 'ance']);
    expect(pieces('\u0000').map((p) => p.text)).toEqual(['U+0000']);
    expect(pieces('a\u{e0041}').map((p) => p.text)).toEqual(['a', 'U+E0041']);
  });
});

describe('a source', () => {
  it.each([
    ['https://example.org/a?b=c', 'https://example.org/a?b=c'],
    ['HTTP://EXAMPLE.ORG', 'http://example.org/'],
  ])('%s is a link', (text, url) => expect(webAddress(text)).toBe(url));

  it.each([
    '',
    'PSA I-022625-PSA',
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'https://',
    'https://bank.example@elsewhere.example/',
    '//example.org',
    'file:///etc/passwd',
    '\u0001https://example.org',
  ])('%j is none', (text) => expect(webAddress(text)).toBeUndefined());
});
