import { expect, test } from 'vitest';
import { asTable, asText, powers, type Freezable } from './freezing';

const row = (who: string, act: 'service' | 'issuer', colour: string, origin: string) =>
  ({
    who,
    act,
    colour,
    origin,
    chain: 'eip155:1',
    asset: 'eip155:1/slip44:60',
    at: '0xa',
    address: '0xa',
    amount: '1500000000000000000',
    first: '2025-02-21T14:16:11Z',
    last: '2025-02-22T00:00:00Z',
    why: 'because',
  }) as Freezable;
const rows = [
  row('A', 'service', 'x', '7'),
  row('B', 'issuer', 'x', '5'),
  row('A', 'service', 'y', '2'),
  row('A', 'service', 'x', '3'),
];

test('rows are put together by who can act, and never added over colours', () => {
  const [a, b, ...more] = powers(rows);
  expect(more).toEqual([]);
  expect([a?.who, a?.rows.length, a?.origins.get('x'), a?.origins.get('y')]).toEqual(['A', 3, '10', '2']);
  expect([b?.who, b?.act, b?.origins.get('x')]).toEqual(['B', 'issuer', '5']);
});

test('the text for a letter has place, amount and moments', () => {
  expect(asText([row('A', 'service', 'x', '7')], { case: 'c', method: 'fifo', digest: 'sha256:1', left: 0 })).toBe(
    'Ethereum 0xa: 1.5 ETH, there since 2025-02-21T14:16:11Z, last moved 2025-02-22T00:00:00Z\nCase c, traced by fifo, digest sha256:1\n',
  );
});

test('a text that is not whole says so', () => {
  expect(asText([], { case: 'c', method: 'fifo', digest: 'd', left: 7 })).toContain('7 places of the case are not in it');
});

test('the table has a heading and a row for each', () => {
  const table = asTable(rows, (colour) => `asset of ${colour}`);
  expect(table).toHaveLength(5);
  expect(table[1]?.slice(-4)).toEqual(['asset of x', '2025-02-21T14:16:11Z', '2025-02-22T00:00:00Z', 'because']);
});
