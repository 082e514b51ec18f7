import { expect, it } from 'vitest';
import { climb } from './merkle';

// Block 170 of Bitcoin: the reward, and the first payment from one person to another.
const reward = 'b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082';
const payment = 'f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16';
const root = '7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff';

it('climbs to the root of a block from either side', async () => {
  expect(await climb(payment, 1, [reward])).toEqual([{ left: reward, right: payment, parent: root }]);
  expect(await climb(reward, 0, [payment])).toEqual([{ left: reward, right: payment, parent: root }]);
});

it('comes to another root with another leaf', async () => {
  const wrong = await climb(payment.replace('f', 'e'), 1, [reward]);
  expect(wrong[0]?.parent).not.toBe(root);
});

it('needs no step where the transaction is alone in its block', async () => {
  expect(await climb(reward, 0, [])).toEqual([]);
});

it('refuses what is no hash', async () => {
  await expect(climb('0x12', 0, [reward])).rejects.toThrow('no hash');
});
