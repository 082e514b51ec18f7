import { expect, test } from 'vitest';
import type { Schemas } from '../api/client';
import { draw, heightOf, labelRoom } from './sankey';

const node = (key: string, column: number, origin: string, ended = '0') => ({
  key,
  label: key,
  class: 'asset' as const,
  column,
  origin,
  ended,
});
const band = (from: string, to: string, origin: string) => ({ from, to, origin, class: 'asset', certainty_bp: 10_000 });
const eth = (n: number) => `${n}000000000000000000`;
const chart: Schemas['SankeyChart'] = {
  colour: 'x/eth',
  chain: 'eip155:1',
  asset: 'eip155:1/slip44:60',
  stolen: eth(100),
  columns: 4,
  nodes: [node('stolen', 0, eth(100)), node('a', 1, eth(60)), node('b', 1, eth(40)), node('end', 3, eth(100), eth(100))],
  bands: [band('stolen', 'a', eth(60)), band('stolen', 'b', eth(40)), band('a', 'end', eth(60)), band('b', 'end', eth(40))],
  returned: '0',
  divided: '0',
};

test('bars stand in the columns of the server, and heights are in proportion', () => {
  const { bars, ribbons } = draw(chart, 614 + labelRoom, 320);
  const at = Object.fromEntries(bars.map((bar) => [bar.node.key, bar]));
  expect(at.stolen?.x).toBe(0);
  expect(at.a?.x).toBe(at.b?.x);
  expect(at.end?.x).toBe(600);
  expect((at.a?.height ?? 0) / (at.b?.height ?? 1)).toBeCloseTo(1.5);
  expect(ribbons.map((r) => [r.band.from, r.band.to])).toEqual([
    ['stolen', 'a'],
    ['stolen', 'b'],
    ['a', 'end'],
    ['b', 'end'],
  ]);
  expect((ribbons[0]?.width ?? 0) / (ribbons[1]?.width ?? 1)).toBeCloseTo(1.5);
  expect(ribbons.every((r) => r.path.startsWith('M'))).toBe(true);
});

test('a chart without bands is nothing', () => {
  expect(draw({ ...chart, bands: [] }, 600, 300)).toEqual({ bars: [], ribbons: [] });
  expect(draw({ ...chart, bands: [band('nobody', 'end', eth(1))] }, 600, 300).bars).toEqual([]);
});

test('the height follows the fullest column, within bounds', () => {
  expect(heightOf(chart)).toBe(260);
  expect(heightOf({ ...chart, nodes: Array.from({ length: 20 }, (_, i) => node(String(i), 2, '1')) })).toBe(800);
  expect(heightOf({ ...chart, nodes: Array.from({ length: 500 }, (_, i) => node(String(i), 2, '1')) })).toBe(1600);
});
