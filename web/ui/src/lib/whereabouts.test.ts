import { expect, test } from 'vitest';
import { portion, whereabouts, widest } from './whereabouts';

const colour = (kinds: [string, string, number][], claims = true) => ({
  colour: 'x/eth',
  chain: 'eip155:1',
  asset: 'eip155:1/slip44:60',
  stolen: '401346768858404671846374',
  ...(claims ? { traceable_bp: 10_000, dark_bp: 0, frozen_bp: 0 } : {}),
  kinds: kinds.map(([kind, origin, places]) => ({ kind, origin, places })),
});

test('the ends of what was stolen are said with their shares', () => {
  const said = whereabouts(
    colour([
      ['held', '301346768858404671846374', 44],
      ['service', '99999999999999999999999', 1],
      ['fee', '1', 3],
    ]),
  );
  expect(said).toBe(
    'Of 401,346 ETH stolen, 75.08 % is held at 44 places, 24.91 % is with services (1 place) and less than 0.01 % was paid in fees.',
  );
});

test('many ends are added up, and unknown ones named', () => {
  const said = whereabouts(
    colour([
      ['held', '200673384429202335923187', 2],
      ['odd', '100336692214601167961593', 1],
      ['dark', '100336692214601167961594', 1],
    ]),
    2,
  );
  expect(said).toBe('Of 401,346 ETH stolen, 50 % is held at 2 places, 24.99 % ended as odd and 25 % ended otherwise.');
});

test('a method that claims no origins is not made to', () => {
  const claimless = colour([['held', '1', 1]], false);
  expect(whereabouts(claimless)).toBe('401,346 ETH were stolen. This method does not say where what part of it is.');
});

test('a part of nothing is nothing', () => {
  expect(portion('0', '5')).toBe('0 %');
});

test('the asset with most to look at comes first, whatever its amount and name', () => {
  const whole = { ...colour([['recovered', '401346768858404671846374', 1]]), colour: 'x/cmeth' };
  const wide = colour([
    ['held', '1', 40],
    ['mixer', '1', 2],
  ]);
  const same = { ...wide, colour: 'x/steth' };
  expect(widest([whole, wide, same])?.colour).toBe('x/eth');
  expect(widest([whole])?.colour).toBe('x/cmeth');
  expect(widest([])).toBeUndefined();
});
