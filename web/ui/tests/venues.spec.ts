import type { APIRequestContext } from '@playwright/test';
import { accessible, expect, open, test } from './known';
import { fits, hostile, inert } from './hostile';

const thief = '0x47666fab8bd0ac7003bce3f5c3585383f09486e2';

/** Guards a venue and lets stolen value come to it, which is enough for the gate: it is told by the absolute value. */
async function guarded(request: APIRequestContext, server: string, id: string, name: string) {
  const made = await request.put(`${server}/v1/venues/${id}`, { data: { name, kind: 'events', config: { chain: 'ethereum' } } });
  expect(made.status(), await made.text()).toBe(200);
  const moment = Math.floor(Date.now() / 1000);
  const uses = [1, 2].map((n) => ({ id: `order-${n}`, moment, route: 'ETH>BTC', sender: thief, usd_cents: 1_250_000_000 }));
  const said = await request.post(`${server}/v1/venues/${id}/events`, { data: uses });
  expect(said.status(), await said.text()).toBe(200);
  expect(await said.json()).toMatchObject([{ action: 'refuse' }, { action: 'refuse' }]);
}

test('a venue is in the list with its gravest state', async ({ page, own, real, request }) => {
  await open(page, real, '/venues');
  await expect(page.getByText('No venue is guarded.')).toBeVisible();
  await open(page, own, '/venues');
  await guarded(request, own, 'swap', 'Our swap');
  await page.reload();
  const row = page.getByRole('row', { name: /Our swap/ });
  await expect(row).toContainText('LIMIT');
  await expect(row).toContainText('events');
  await accessible(page);
  await row.getByRole('link', { name: 'Our swap' }).click();
  await expect(page).toHaveURL(/#\/venues\/swap$/);
});

test('why it is in its state, what was decided and how it changed can be read', async ({ page, own, request }) => {
  await guarded(request, own, 'swap-2', hostile[1] ?? '');
  await open(page, own, '/venues/swap-2');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(hostile[1] ?? '');
  const state = page.getByRole('region', { name: 'bybit-2025 by ETH>BTC' });
  await expect(state).toContainText('LIMIT');
  await expect(state).toContainText('the tainted value passed the limit that counts whatever the score is');
  await expect(state).toContainText('this state is entered at 60');
  const changes = page.getByRole('region', { name: 'changes of state', exact: true });
  await expect(changes.getByRole('row').nth(1)).toContainText('WATCH → LIMIT');
  await expect(changes.getByRole('row').nth(2)).toContainText('NORMAL → WATCH');
  const decisions = page.getByRole('region', { name: 'decisions', exact: true }).getByRole('row');
  await expect(decisions.nth(1)).toContainText('order-2'); // the newest first
  await expect(decisions.nth(2)).toContainText('order-1');
  await expect(decisions.nth(2)).toContainText('refuse');
  await expect(decisions.nth(2)).toContainText('stolen value is in the sender’s hands, bybit-2025');
  await inert(page);
  await accessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page);
});

test('an operator sets a state by hand, with a name, a reason and an end', async ({ page, own, request }) => {
  await guarded(request, own, 'swap-3', 'Third');
  await open(page, own, '/venues/swap-3');
  const state = page.getByRole('region', { name: 'bybit-2025 by ETH>BTC' });
  await state.getByRole('button', { name: 'Set by hand …' }).click();
  const form = page.getByRole('form', { name: 'override' });
  await expect(form.getByLabel('Incident')).toHaveValue('bybit-2025');
  await expect(form.getByLabel('Route')).toHaveValue('ETH>BTC');
  await form.getByLabel('State').selectOption('HALT');
  await form.getByLabel('Hours').fill('2');
  await form.getByLabel('Who answers for it').fill('A. Operator');
  await form.getByLabel('Reason').fill('confirmed by the victim');
  await form.getByRole('button', { name: 'Set the state by hand' }).click();
  await expect(state).toContainText('HALT');
  await expect(state).toContainText('A. Operator');
  await expect(state).toContainText('confirmed by the victim');
  await expect(state).toContainText('Beneath it is LIMIT.');
  const changes = page.getByRole('region', { name: 'changes of state', exact: true });
  await expect(changes.getByRole('row').nth(1)).toContainText('LIMIT → HALT');
  await expect(changes.getByRole('row').nth(1)).toContainText('somebody set it by hand');

  // The data of the demo is old: what loosens is refused, in the words of the server.
  await form.getByLabel('State').selectOption('NORMAL');
  await form.getByLabel('Incident').fill('bybit-2025');
  await form.getByLabel('Route').fill('ETH>BTC');
  await form.getByLabel('Reason').fill('let them pass');
  await form.getByRole('button', { name: 'Set the state by hand' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(state).toContainText('HALT');
});

test('a venue that is not there says so', async ({ page, own }) => {
  await page.goto(`${own}/#/venues/nowhere`);
  await expect(page.getByRole('alert').first()).toBeVisible();
});
