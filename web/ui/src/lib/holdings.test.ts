import { expect, test } from 'vitest';
import { difference, isOld, newestDay, sampleDays, webLink, type Holdings, type StatedRow } from './holdings';

const row = (amount: string, as_of: string, stale = false) => ({ amount, as_of, stale }) as StatedRow;
const report = (rows: StatedRow[], entities = 0) =>
  ({ stated: { rows }, derived: { entities: Array.from({ length: entities }) } }) as unknown as Holdings;

test('the newest day is that of the newest statement', () => {
  expect(newestDay(report([row('1', '2025-03-17'), row('1', '2025-03-20'), row('1', '2025-03-17')]))).toBe('2025-03-20');
  expect(newestDay(report([]))).toBe('');
});

test('a table is old where every statement is, and no address shows anything', () => {
  expect(isOld(report([row('1', 'a', true), row('1', 'a', true)]))).toBe(true);
  expect(isOld(report([row('1', 'a', true), row('1', 'a', false)]))).toBe(false);
  expect(isOld(report([row('1', 'a', true)], 1))).toBe(false);
  expect(isOld(report([]))).toBe(false);
});

test('differences are exact', () => {
  expect(difference(row('1356200000000', ''), row('1351800000000', ''))).toEqual({
    units: '4400000000',
    more: false,
    same: false,
  });
  expect(difference(row('1', ''), row('1', '')).same).toBe(true);
});

test('days are sampled evenly, the last one is the last', () => {
  expect(sampleDays('2025-03-20', 10, 3)).toEqual(['2025-03-10', '2025-03-15', '2025-03-20']);
  expect(sampleDays('2025-03-20', 1, 5)).toEqual(['2025-03-19', '2025-03-20']);
});

test('only addresses of the web become links', () => {
  expect(webLink('https://example.org/a')).toBe('https://example.org/a');
  expect(webLink('javascript:alert(1)')).toBeUndefined();
  expect(webLink('not a link')).toBeUndefined();
  expect(webLink(undefined)).toBeUndefined();
});
