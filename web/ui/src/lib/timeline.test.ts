import { expect, test } from 'vitest';
import type { Schemas } from '../api/client';
import { lanes, middles, stepName } from './timeline';

const timeline = {
  begin: 1000,
  step: 100,
  buckets: 3,
  lanes: [
    { lane: 'theft', label: 'Thefts', flows: 1 },
    { lane: 'move', label: 'Moves', flows: 2 },
  ],
  series: [
    {
      lane: 'move',
      colour: 'x',
      points: [
        { bucket: 0, origin: '1500000000000000000' },
        { bucket: 2, origin: '7' },
        { bucket: 9, origin: '1' },
      ],
    },
  ],
} as unknown as Schemas['Timeline'];

test('buckets in which nothing happened are empty, and lanes without anything are left out', () => {
  const [move, ...more] = lanes(timeline, 'x', 'eip155:1/slip44:60');
  expect(more).toEqual([]);
  expect(move?.values).toEqual([1.5, null, 7e-18]);
  expect(move?.origins.get(2)).toBe('7');
  expect(lanes(timeline, 'y', 'eip155:1/slip44:60')).toEqual([]);
  expect(middles(timeline)).toEqual([1050, 1150, 1250]);
});

test('steps are said in the largest unit that fits', () => {
  expect([86_400, 7200, 90, 60, 1].map(stepName)).toEqual(['one day', '2 hours', '90 seconds', 'one minute', 'one second']);
});
