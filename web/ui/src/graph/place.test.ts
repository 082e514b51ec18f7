import { expect, test } from 'vitest';
import { build, join } from './net';
import { moved, node } from './sample';
import { columnGap, placeAll, placesOf, rowGap } from './place';
import { blank, merge, pin } from './sheet';
import { walk, type Walk } from './walk';

const source = {
  nodes: ['a', 'b', 'c', 'd', 'z'].map((key) => node(key)),
  movements: [moved('a', 'b', '1'), moved('a', 'c', '2'), moved('d', 'a', '3')],
  gaps: [],
};
const known = new Map([
  ['a', { x: 0, y: 0 }],
  ['b', { x: columnGap, y: 0 }],
]);

test('what is new stands beside what it was reached from, and nothing else moves', () => {
  const places = placeAll(source, known);
  expect(places.get('b')).toEqual({ x: columnGap, y: 0 });
  expect(places.get('c')).toEqual({ x: columnGap, y: rowGap });
  expect(places.get('d')).toEqual({ x: -columnGap, y: 0 });
  expect(places.get('z')).toEqual({ x: 0, y: 2 * rowGap });
});

test('no two of many have one place', () => {
  const keys = Array.from({ length: 500 }, (_, i) => `n${i}`);
  const star = {
    nodes: ['hub', ...keys].map((k) => node(k)),
    movements: keys.map((k, i) => (i % 2 ? moved('hub', k, '1') : moved(k, 'hub', '1'))),
    gaps: [],
  };
  const places = placeAll(star, new Map());
  expect(new Set([...places.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(501);
});

test('pins come first, and what is collapsed is amid its members', () => {
  const sheet = merge(pin(blank, 'a', { x: 7, y: 9 }), ['b', 'c'], '');
  const places = placesOf(build(join([{ source }]), sheet, false), sheet, placeAll(source, known));
  expect(places.get('a')).toEqual({ x: 7, y: 9 });
  expect(places.get('merged b')).toEqual({ x: columnGap, y: rowGap / 2 });
});

test('arrows walk along edges, between those beside, and back to where they came from', () => {
  const net = build(join([{ source }]), blank, false);
  const places = placeAll(source, known);
  const steps: (string | undefined)[] = [];
  let now: Walk | undefined = { at: 'a' };
  for (const arrow of [
    'ArrowRight',
    'ArrowDown',
    'ArrowDown',
    'ArrowLeft',
    'ArrowRight',
    'ArrowUp',
    'ArrowLeft',
    'ArrowLeft',
    'ArrowLeft',
  ] as const) {
    now = walk(net, places, now, arrow);
    steps.push(now?.at);
  }
  expect(steps).toEqual(['b', 'c', 'c', 'a', 'c', 'b', 'a', 'd', 'd']);
  expect(walk(net, places, undefined, 'ArrowDown')).toEqual({ at: 'd' });
});
