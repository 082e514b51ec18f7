import { accessible, expect, open, test } from './workbench';

test('the league table of a day has ranks, values, sources, and what contradicts', async ({ page, real }) => {
  await open(page, real, '/?day=2025-03-17');
  const league = page.getByRole('region', { name: 'Who holds how much' });
  const rows = league.getByRole('table').first().locator('tbody tr');
  await expect(rows.filter({ hasText: 'United States' }).getByRole('cell').filter({ visible: true })).toHaveText([
    '1',
    /198,109/,
    '$16,656,150,870',
    '0.94 %',
    /attributed by Arkham, 2025-03-17/,
  ]);
  const korea = rows.filter({ hasText: 'North Korea (Lazarus)' });
  await expect(korea.getByRole('cell').first()).toHaveText('3');
  await expect(korea).toContainText('13,562');
  await expect(korea).toContainText('attributed by Arkham');
  await expect(rows.filter({ hasText: '44 BTC less' })).toContainText('13,518');
  await expect(rows.filter({ hasText: '2,394 BTC more' })).toContainText('estimated by BitBO');

  await league.getByText('Left out of the ranking (2)').click();
  await expect(league).toContainText('China: 194,000 BTC');

  await korea.getByRole('button', { name: 'source 3' }).click();
  const source = league.locator('#source-3');
  await expect(source).toBeFocused();
  await expect(source.getByRole('link')).toHaveAttribute('href', /^https:\/\/cryptopotato\.com\//);
  await expect(source.getByRole('link')).toHaveAttribute('rel', 'noreferrer noopener');
  await accessible(page);
});

test('without a day the newest one is shown on which somebody knew, and today can be chosen', async ({ page, real }) => {
  await open(page, real, '/');
  const league = page.getByRole('region', { name: 'Who holds how much' });
  await expect(league).toContainText('Nobody on record said anything later than 2025-03-20');
  await expect(league.locator('tr').filter({ hasText: 'North Korea (Lazarus)' })).toContainText('13,441');
  await league.getByRole('link', { name: 'Show it as of today' }).click();
  await expect(page).toHaveURL(/day=\d{4}-\d\d-\d\d/);
  await expect(league).toContainText('In dollars it is not known');
  await league.getByLabel('Beginning of the day (UTC)').fill('2025-03-10');
  await expect(page).toHaveURL(/day=2025-03-10/);
  await expect(league).toContainText('Nothing is known of this day');
});

test('the history asks day by day, and is in the address', async ({ page, real }) => {
  await open(page, real, '/?day=2025-03-20');
  await page.getByRole('button', { name: '10 days before' }).click();
  await expect(page).toHaveURL(/span=10/);
  const table = page.getByRole('table', { name: /What each was said to hold of BTC/ });
  const korea = table.locator('tr').filter({ hasText: 'North Korea (Lazarus)' });
  // 10, 12, 14 and 16 March: nobody had said anything.
  await expect(korea.getByRole('cell')).toHaveText(['', '', '', '', '13,562', '13,441']);
});

test('an open case says where its money is', async ({ page, real }) => {
  await open(page, real, '/');
  const cases = page.getByRole('region', { name: 'Open cases' });
  await expect(cases).toContainText('Attributed to lazarus-group by FBI');
  await expect(cases).toContainText('Of 401,346 ETH stolen, 100 % is held at 42 places.');
  await expect(cases.getByRole('img', { name: 'ETH: traceable 100 %, dark 0 %, frozen 0 %', exact: true })).toBeVisible();
  await cases.getByRole('link', { name: 'Bybit cold wallet theft' }).click();
  await expect(page).toHaveURL(/#\/cases\/bybit-2025/);
});

test('what is held is said, with its age', async ({ page, real }) => {
  await open(page, real, '/');
  const held = page.getByRole('region', { name: 'What is held' });
  await expect(held).toContainText('Ethereum');
  await expect(held).toContainText('21,968,077');
  await expect(held).toContainText('202 blocks, 234 transactions');
  await expect(held).toContainText('as a file said');
});

test('an alert shows as soon as it is raised', async ({ page, real, request }) => {
  await open(page, real, '/');
  const alerts = page.getByRole('region', { name: 'Alerts' });
  await expect(alerts.getByRole('status')).toHaveText('live');
  const until = Math.floor(Date.now() / 1000) + 3600;
  const venue = await request.put(`${real}/v1/venues/overview-swap`, { data: { name: 'Our swap', kind: 'events', config: {} } });
  expect(venue.ok()).toBe(true);
  const override = await request.put(`${real}/v1/venues/overview-swap/override`, {
    data: { incident: 'bybit-2025', route: '*', state: 'HALT', until, name: 'A. Analyst', reason: 'confirmed by the victim' },
  });
  expect(override.ok()).toBe(true);
  await expect(alerts).toContainText('Venue changed state');
  await expect(alerts.getByRole('link', { name: 'overview-swap' }).first()).toHaveAttribute('href', '#/venues/overview-swap');
  await page.reload();
  await expect(alerts).toContainText('Venue changed state');
  await accessible(page);
});

test('it is usable on a phone', async ({ page, real }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, real, '/?day=2025-03-17');
  await expect(page.getByText('$1,140,234,507').locator('visible=true')).toHaveCount(1);
  await expect(page.getByRole('region', { name: 'Open cases' })).toContainText('42 places');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await accessible(page);
});
