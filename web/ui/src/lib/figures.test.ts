import { expect, it } from 'vitest';
import { quantity, usd } from './figures';

it('groups whole units and leaves every digit behind the point', () => {
  expect(quantity('401346.768858404671846374')).toBe('401,346.768858404671846374');
  expect(quantity('15000')).toBe('15,000');
  expect(quantity('0.5')).toBe('0.5');
});

it('says dollars as the source does, or the range', () => {
  expect(usd(1_500_000_000)).toBe('$1,500,000,000');
  expect(usd(50, 60)).toBe('$50 to $60');
  expect(usd(undefined)).toBe('');
  expect(usd(0)).toBe('$0');
});
