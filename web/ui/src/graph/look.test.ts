import { expect, test } from 'vitest';
import { nameOf, shapeOf } from './look';
import { node } from './sample';

test('a node of several addresses says whose they are, and how many', () => {
  const label = '1DNdPgBZRWjDj1JbVZQEYMv7jvqJF7R4Py';
  const owner = node('cluster x', { class: 'cluster', label, addresses: 3 });
  expect(nameOf(owner)).toMatch(/^owner of 1DNd.*R4Py \(3\)$/);
  expect(nameOf({ ...owner, entity: 'Binance' })).toMatch(/^Binance, 1DNd.*R4Py \(3\)$/);
  expect(shapeOf(owner, false)).toBe('hexagon');
  expect(nameOf(node('entity x', { class: 'entity', label: 'Binance', addresses: 7 }))).toBe('Binance (7)');
});
