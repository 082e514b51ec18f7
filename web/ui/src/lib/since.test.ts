import { expect, test } from 'vitest';
import type { Schemas } from '../api/client';
import { changesBetween, daysBetween } from './since';

const summary = (kinds: Record<string, string>) =>
  ({
    colours: [{ colour: 'x', asset: 'a', kinds: Object.entries(kinds).map(([kind, origin]) => ({ kind, origin, places: 1 })) }],
  }) as unknown as Schemas['CaseSummary'];

test('only what differs is a change', () => {
  expect(changesBetween(summary({ held: '5', dark: '2' }), summary({ held: '5', service: '2' }))).toEqual([
    { colour: 'x', asset: 'a', what: 'At a service', before: '0', after: '2' },
    { colour: 'x', asset: 'a', what: 'Cannot be followed', before: '2', after: '0' },
  ]);
  expect(changesBetween(summary({ held: '5' }), summary({ held: '5' }))).toEqual([]);
});

test('days go from the first to the last', () => {
  expect(daysBetween('2025-02-27T10:00:00Z', '2025-03-01T00:00:00Z')).toEqual(['2025-02-27', '2025-02-28', '2025-03-01']);
  expect(daysBetween('2025-03-02', '2025-03-01')).toEqual([]);
  expect(daysBetween('', '2025-03-01')).toEqual([]);
});
