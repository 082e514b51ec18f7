import { expect, test } from 'vitest';
import { baseUnits, placeQuery, sortedBy } from './placefilter';

const read = (values: Record<string, string>) => (name: string) => values[name] ?? '';

test('only what is understood is asked for', () => {
  expect(placeQuery(read({ sort: 'hops', order: 'asc', kind: 'held', least: '12', q: '0xab', other: 'x' }))).toEqual({
    sort: 'hops',
    order: 'asc',
    kind: 'held',
    q: '0xab',
    least: '12',
  });
  expect(placeQuery(read({ sort: 'nonsense', order: 'up', least: '1.5' }))).toEqual({ sort: 'origin', order: 'desc' });
});

test('a column turns round when it is pressed again', () => {
  expect(sortedBy('hops', { sort: 'origin', order: 'desc' })).toEqual({ sort: 'hops', order: '' });
  expect(sortedBy('hops', { sort: 'hops', order: 'desc' })).toEqual({ sort: 'hops', order: 'asc' });
  expect(sortedBy('origin', { sort: 'origin', order: 'asc' })).toEqual({ sort: '', order: '' });
});

test('whole units become base units exactly', () => {
  expect(baseUnits('1,000.5', 'eip155:1/slip44:60')).toBe('1000500000000000000000');
  expect(baseUnits('0.00000001', 'bip122:000000000019d6689c085ae165831e93/slip44:0')).toBe('1');
  expect(baseUnits('0.000000001', 'bip122:000000000019d6689c085ae165831e93/slip44:0')).toBeUndefined();
  expect(baseUnits('-1', 'eip155:1/slip44:60')).toBeUndefined();
  expect(baseUnits('', 'eip155:1/slip44:60')).toBeUndefined();
});
