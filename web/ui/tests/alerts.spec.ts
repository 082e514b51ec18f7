import type { APIRequestContext } from '@playwright/test';
import { accessible, expect, open, test } from './known';
import { fits, inert } from './hostile';

const thief = '0x47666fab8bd0ac7003bce3f5c3585383f09486e2';

/** Raises real alerts: stolen value comes to a venue, whose breaker changes its state. */
async function raise(request: APIRequestContext, server: string, venue: string) {
  await request.put(`${server}/v1/venues/${venue}`, { data: { name: venue, kind: 'events', config: { chain: 'ethereum' } } });
  const moment = Math.floor(Date.now() / 1000);
  const use = { id: 'order-1', moment, route: 'ETH>BTC', sender: thief, usd_cents: 1_250_000_000 };
  expect((await request.post(`${server}/v1/venues/${venue}/events`, { data: use })).status()).toBe(200);
}

test('alerts come while somebody looks, newest first, and are filtered', async ({ page, own, request }) => {
  await open(page, own, '/alerts');
  await expect(page.getByRole('status').filter({ hasText: 'live' })).toBeVisible();
  await raise(request, own, 'bridge-a');
  const alerts = page.getByRole('article');
  await expect(alerts.first()).toContainText('from WATCH to LIMIT');
  await expect(alerts.nth(1)).toContainText('from NORMAL to WATCH');
  await expect(alerts.first().getByRole('link', { name: 'bridge-a' })).toHaveAttribute('href', '#/venues/bridge-a');
  await raise(request, own, 'bridge-b');
  await expect(alerts.first()).toContainText('bridge-b');
  await page.getByLabel('About').fill('bridge-a');
  await expect(alerts.first()).toContainText('bridge-a');
  await expect(alerts.filter({ hasText: 'bridge-b' })).toHaveCount(0);
  await expect(page).toHaveURL(/subject=bridge-a/);
  await page.getByLabel(/^State/).selectOption('withdrawn');
  await expect(page.getByText('Nothing to show.')).toBeVisible();
  await page.getByLabel(/^State/).selectOption('');
  await page.getByLabel(/^Kind/).selectOption('breaker-transition');
  await page.reload();
  await expect(alerts.first()).toContainText('bridge-a');
  await expect(page.getByLabel(/^Kind/)).toHaveValue('breaker-transition');
  await accessible(page);
});

test('on a phone, one that is withdrawn is told as withdrawn, and hostile text stays text', async ({ page, own }) => {
  // No chain of the demo is reorganised: what the server says of one is put in its place.
  const alert = (sequence: number, more: object) => ({
    sequence,
    id: `a${sequence}`,
    kind: 'watch-hit',
    subject: thief,
    chain: 'eip155:1',
    level: 'severe',
    body: { to: 'refuse', why: '<img src=x onerror="document.title=\'owned\'">' },
    created: 1_795_000_000 + sequence,
    state: 'standing',
    ...more,
  });
  const items = [
    alert(9001, { state: 'withdrawn', withdrawn_by: 'a9002' }),
    alert(9002, { kind: 'withdrawn', withdraws: 'a9001', body: { alert: 'a9001', kind: 'watch-hit', why: 'its block is gone' } }),
    alert(9003, {}),
  ];
  await page.route('**/v1/alerts?*', (route) => route.fulfill({ json: { items } }));
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, own, '/alerts');
  const alerts = page.getByRole('article');
  await expect(alerts).toHaveCount(3);
  await expect(alerts.nth(2)).toContainText('withdrawn: its block is gone');
  await expect(alerts.nth(1)).toContainText('takes back Watched address moved');
  await expect(alerts.nth(0)).not.toContainText('withdrawn');
  await expect(alerts.nth(0)).toContainText('<img src=x');
  await inert(page);
  await fits(page);
  await accessible(page);
  await page.getByLabel(/^State/).selectOption('withdrawn');
  await expect(alerts).toHaveCount(1);
});

test('whoever asks with a key hears alerts as well, which an EventSource could not', async ({ page, own, request }) => {
  const made = await request.post(`${own}/v1/keys`, { data: { name: 'desk', role: 'viewer' } });
  expect(made.status(), await made.text()).toBeLessThan(300);
  const { secret } = (await made.json()) as { secret: string };
  await page.addInitScript((key) => sessionStorage.setItem('coldtrail-key', key), secret);
  const asked = page.waitForRequest((r) => r.url().includes('/v1/events'));
  await open(page, own, '/alerts');
  expect((await (await asked).allHeaders())['x-api-key']).toBe(secret);
  await expect(page.getByRole('status').filter({ hasText: 'live' })).toBeVisible();
  await raise(request, own, 'bridge-key');
  await expect(page.getByRole('article').first()).toContainText('bridge-key');
});
