import { accessible, bitcoin, ethereum, expect, open, payment, test, theft } from './known';

test('a payment in bitcoin: both sides, and a proof that the browser does itself', async ({ page, early }) => {
  await open(page, early, `/txs/${bitcoin}/${payment}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(payment);
  await expect(page.getByText('2009-01-12 03:30 UTC')).toBeVisible();
  await expect(page.getByText('checked against the block')).toBeVisible();
  const inputs = page.getByRole('region', { name: 'Inputs' });
  await expect(inputs.locator('tbody tr')).toHaveCount(1);
  await expect(inputs).toContainText('50 BTC');
  await expect(inputs.getByRole('link', { name: /^12cbQLTF/ })).toHaveAttribute('title', '12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S');
  const outputs = page.getByRole('region', { name: 'Outputs' });
  await expect(outputs.locator('tbody tr').nth(0)).toContainText('10 BTC');
  await expect(outputs.locator('tbody tr').nth(0)).toContainText('unspent');
  await expect(
    outputs
      .locator('tbody tr')
      .nth(1)
      .getByRole('link', { name: /^a16f3ce4/ }),
  ).toBeVisible();

  const proof = page.getByRole('region', { name: 'Proof' });
  await expect(proof).toContainText('number 2 of 2 in its block');
  await expect(proof.getByRole('row', { name: /^1 left/ })).toContainText(
    'b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082',
  );
  await proof.getByRole('button', { name: 'Do the sum in this browser' }).click();
  await expect(proof.getByText('The branch leads to the root.')).toBeVisible();
  await expect(proof.getByRole('row', { name: /^Root/ })).toContainText(
    /7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff.*7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff/,
  );
  await accessible(page);
});

test('a branch that does not lead to the root is not believed', async ({ page, early }) => {
  await page.route('**/proof', async (route) => {
    const response = await route.fetch();
    const proof = await response.json();
    proof.merkle.branch[0] = proof.merkle.branch[0].replace('b1fe', 'b1ff');
    await route.fulfill({ response, json: proof });
  });
  await open(page, early, `/txs/${bitcoin}/${payment}`);
  await page.getByRole('button', { name: 'Do the sum in this browser' }).click();
  await expect(page.getByText('The branch does not lead to the root: do not rely on this answer.')).toBeVisible();
});

test('the reward of a block spends nothing', async ({ page, early }) => {
  await open(page, early, `/txs/${bitcoin}/b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082`);
  await expect(page.getByRole('region', { name: 'Inputs' })).toContainText('it is the reward of its block');
});

test('the theft: what moved, which case follows it, and whose word it is', async ({ page, real }) => {
  await open(page, real, `/txs/${ethereum}/${theft}`);
  const moved = page.getByRole('region', { name: 'What moved' });
  await expect(moved.locator('tbody tr')).toHaveCount(1);
  await expect(moved).toContainText('401,346.768858404671846374 ETH');
  await expect(page.getByText('by the word of whoever made the file that it was read from', { exact: true })).toBeVisible();
  const verdict = page.getByRole('region', { name: 'Verdict on its parties' });
  await expect(verdict.getByRole('link', { name: 'case bybit-2025' })).toHaveAttribute('href', '#/cases/bybit-2025');
  await expect(page.getByRole('region', { name: 'Proof' })).toContainText('Nothing: no arithmetic leads from it to a block.');
  await verdict.getByText('The facts that it rests on').click();
  await expect(verdict.getByRole('table')).toContainText('401,346 ETH');
  await accessible(page);
  await expect(page.getByRole('link', { name: 'Open in graph' })).toHaveAttribute('href', `#/graph?tx=${ethereum}%7C${theft}`);
});

test('a transaction that is not held is no trouble', async ({ page, real }) => {
  await open(page, real, `/txs/${ethereum}/0x${'1'.repeat(64)}`);
  await expect(page.getByText('The ledger holds no such transaction.')).toBeVisible();
  await open(page, real, `/txs/${ethereum}/0x12`);
  await expect(page.getByRole('alert')).toContainText('want 64');
});

test('a transaction fits a phone', async ({ page, early }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page, early, `/txs/${bitcoin}/${payment}`);
  await page.getByRole('button', { name: 'Do the sum in this browser' }).click();
  await expect(page.getByText('The branch leads to the root.')).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
});
