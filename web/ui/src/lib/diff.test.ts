import { describe, expect, it } from 'vitest';
import { difference, surroundings, type Line } from './diff';

const marks = { same: ' ', added: '+', removed: '-' };
const shown = (lines: Line[]) => lines.map((line) => marks[line.is] + line.text);
const apply = (lines: Line[], side: 'before' | 'after') => lines.filter((line) => line[side] > 0).map((line) => line.text);

describe('difference', () => {
  it('says what was added and removed, in place', () => {
    expect(shown(difference('a\nb\nc\nd\n', 'a\nc\nx\nd\n'))).toEqual([' a', '-b', ' c', '+x', ' d']);
  });
  it('numbers the lines on both sides', () => {
    expect(difference('a\nb\n', 'b\nc\n')).toEqual([
      { is: 'removed', text: 'a', before: 1, after: 0 },
      { is: 'same', text: 'b', before: 2, after: 1 },
      { is: 'added', text: 'c', before: 0, after: 2 },
    ]);
  });
  it('knows texts that are equal or empty', () => {
    expect(shown(difference('a\nb', 'a\r\nb\r\n'))).toEqual([' a', ' b']);
    expect(difference('', '')).toEqual([]);
    expect(shown(difference('', 'x\ny'))).toEqual(['+x', '+y']);
    expect(shown(difference('x\ny', ''))).toEqual(['-x', '-y']);
  });
  it('is the shortest: the example of the paper has 5 changes', () => {
    const lines = difference([...'abcabba'].join('\n'), [...'cbabac'].join('\n'));
    expect(lines.filter((line) => line.is !== 'same')).toHaveLength(5);
  });
  it('gives both texts back, whatever they are', () => {
    let seed = 7;
    const next = (n: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    for (let round = 0; round < 300; round++) {
      const text = () => Array.from({ length: next(14) }, () => 'abcd'[next(4)] ?? '');
      const [before, after] = [text(), text()];
      const lines = difference(before.join('\n'), after.join('\n'));
      expect(apply(lines, 'before')).toEqual(before);
      expect(apply(lines, 'after')).toEqual(after);
    }
  });
  it('does not compare for ever: what differs all over is replaced', () => {
    const text = (name: string) => Array.from({ length: 6000 }, (_, i) => `${name}${i}`).join('\n');
    const lines = difference(text('a'), text('b'));
    expect(lines).toHaveLength(12_000);
    expect(lines[0]).toEqual({ is: 'removed', text: 'a0', before: 1, after: 0 });
    expect(lines.at(-1)).toEqual({ is: 'added', text: 'b5999', before: 0, after: 6000 });
  });
});

describe('surroundings', () => {
  it('leaves out what is far from a change, and says how much', () => {
    const before = Array.from({ length: 20 }, (_, i) => String(i));
    const after = before.with(10, 'x');
    const seen = surroundings(difference(before.join('\n'), after.join('\n')), 1);
    expect(seen.map((line) => (typeof line === 'number' ? line : marks[line.is] + line.text))).toEqual([
      9,
      ' 9',
      '-10',
      '+x',
      ' 11',
      8,
    ]);
  });
});
