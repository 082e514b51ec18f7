import { describe, expect, it } from 'vitest';
import { cursorAfter, FromNewest } from './newest';

function listOf(numbers: number[]) {
  let asked = 0;
  const ask = async (after: number, limit: number) => {
    asked++;
    return numbers
      .filter((n) => n > after)
      .slice(0, limit)
      .map((sequence) => ({ sequence }));
  };
  return { ask, asked: () => asked };
}

const upTo = (n: number, every = 1) => Array.from({ length: n }, (_, i) => (i + 1) * every);

describe('FromNewest', () => {
  it('gives a short list with one question, the newest first', async () => {
    const { ask, asked } = listOf(upTo(5));
    const list = new FromNewest(ask);
    await list.read(100);
    expect(list.items.map((i) => i.sequence)).toEqual([5, 4, 3, 2, 1]);
    expect(list.more).toBe(false);
    expect(asked()).toBe(1);
  });
  it('knows an empty list', async () => {
    const list = new FromNewest(listOf([]).ask);
    await list.read(10);
    expect(list.items).toEqual([]);
    expect(list.more).toBe(false);
  });
  for (const every of [1, 2, 7, 1500])
    it(`gives all of a long list whose numbers are ${every} apart, each once`, async () => {
      const numbers = upTo(4321, every);
      const { ask, asked } = listOf(numbers);
      const list = new FromNewest(ask);
      await list.read(1);
      expect(list.items[0]?.sequence).toBe(4321 * every);
      while (list.more) await list.read(500);
      expect(list.items.map((i) => i.sequence)).toEqual(numbers.toReversed());
      expect(asked()).toBeLessThan(80);
    });
  it('bears numbers that are dense after they were far apart', async () => {
    const numbers = [...upTo(3000), ...upTo(50, 20_000).map((n) => n + 3000)];
    const list = new FromNewest(listOf(numbers).ask);
    while (list.more) await list.read(100);
    expect(list.items.map((i) => i.sequence)).toEqual(numbers.toReversed());
  });
});

it('writes the cursors that the server writes', () => {
  expect(cursorAfter(3)).toBe('Mw');
  expect(cursorAfter(1000)).toBe('MTAwMA');
});
