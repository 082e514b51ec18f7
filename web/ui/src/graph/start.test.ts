import { expect, test } from 'vitest';
import { begins, readQuery, writeQuery, type Query } from './start';

test.each<[string, Query]>([
  [
    'case=bybit-2025&method=lifo&as_of=2025-03-01&colour=eth&group=entity&limit=300',
    {
      start: { case: 'bybit-2025', method: 'lifo', as_of: '2025-03-01', colour: 'eth', group: 'entity', limit: 300 },
      units: 'native',
      day: '',
      view: 'picture',
      state: '',
    },
  ],
  [
    'address=eip155%3A1%7C0xabc&units=usd&day=2025-03-17&view=table&s=abc',
    { start: { address: { chain: 'eip155:1', address: '0xabc' } }, units: 'usd', day: '2025-03-17', view: 'table', state: 'abc' },
  ],
  [
    'tx=bip122%3A00%7Cff',
    { start: { tx: { chain: 'bip122:00', id: 'ff' } }, units: 'native', day: '', view: 'picture', state: '' },
  ],
  [
    'way=eip155%3A1%7C0xa%7C0xb&units=origin',
    { start: { way: { chain: 'eip155:1', from: '0xa', to: '0xb' } }, units: 'origin', day: '', view: 'picture', state: '' },
  ],
])('%s is read and written', (text, query) => {
  expect(readQuery(text)).toEqual(query);
  expect(writeQuery(query)).toBe(text);
  expect(begins(query.start)).toBe(true);
});

test('what is no part of it is left out', () => {
  const { start, units, day, view } = readQuery(
    'limit=99999&hops=-1&group=all&units=doge&day=now&view=3d&address=nochain&way=a|b',
  );
  expect([start, units, day, view]).toEqual([{}, 'native', '', 'picture']);
  expect(begins(start)).toBe(false);
});
