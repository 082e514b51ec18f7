import { expect, test } from 'vitest';
import type { Schemas } from '../api/client';
import { byKind } from './anomalies';

test('anomalies are counted by kind, the most first, with the first of each', () => {
  const list = ['a', 'b', 'b'].map((kind, i) => ({ kind, tx: `0x${i}` })) as Schemas['TraceAnomaly'][];
  expect(byKind(list).map((k) => [k.kind, k.count, k.first.tx])).toEqual([
    ['b', 2, '0x1'],
    ['a', 1, '0x0'],
  ]);
  expect(byKind([])).toEqual([]);
});
