import type { Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { accessible, expect, open, test } from './workbench';

/** How many places the filters let through, and what they stand for. */
const found = (page: Page) => page.getByRole('region', { name: 'Where it is now' }).getByRole('status');
const places = (page: Page) => page.getByRole('table', { name: /^Places where value/ });

test('the headline says who, how much, where, and what it rests on', async ({ page, real }) => {
  await open(page, real, '/cases/bybit-2025');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Bybit cold wallet theft');
  const headline = page.getByRole('region', { name: 'headline' });
  await expect(headline).toContainText('Attributed to lazarus-group by FBI (PSA I-022625-PSA, 2025-02-26) with high confidence.');
  await expect(headline).toContainText('Of 90,375 stETH stolen, 100 % is held at 68 places.');
  await headline.getByText('What this rests on').click();
  await expect(headline).toContainText('sha256:f8d1adc2740727ac8fb64337d78bcbdfab78d884d035fb1c17e780ee5918538d');
  await expect(headline).toContainText('up to block 21,968,077');
  await expect(headline).toContainText('a file’s word');
});

test('doubts are answered: facts against assertions, and what does not add up', async ({ page, real }) => {
  await open(page, real, '/cases/bybit-2025/where');
  await page.getByText('How sure is this?').click();
  const headline = page.getByRole('region', { name: 'headline' });
  await expect(headline).toContainText('148 × unknown-opening-balance');
  await expect(headline).toContainText('25 × look-alike-address');
  await expect(headline).toContainText('bybit-2025/steth: 100 % traceable by facts alone, 100 % with what is asserted');
  await accessible(page);
});

test('places are sorted and filtered by the server, and the address shows the same again', async ({ page, real }) => {
  await open(page, real, '/cases/bybit-2025/where');
  const rows = places(page).locator('tbody tr');
  await expect(found(page)).toContainText('141 places');
  await expect(rows).toHaveCount(50);
  await page.getByRole('button', { name: 'Load more (91 left)' }).click();
  await expect(rows).toHaveCount(100);

  await page.getByRole('combobox', { name: 'Stolen' }).selectOption('bybit-2025/eth');
  await expect(found(page)).toContainText('42 places');
  await expect(found(page)).toContainText('401,346 ETH (100 % of what was stolen of it)');
  await page.getByRole('button', { name: 'Hops' }).click();
  await expect(page).toHaveURL(/sort=hops/);
  await expect(places(page).getByRole('columnheader', { name: 'Hops' })).toHaveAttribute('aria-sort', 'descending');
  await page.getByRole('button', { name: 'Hops' }).click();
  await expect(places(page).getByRole('columnheader', { name: 'Hops' })).toHaveAttribute('aria-sort', 'ascending');

  await page.getByLabel('Address, place or entity').fill('0x30a822CD');
  await page.keyboard.press('Enter');
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('10,000 ETH');
  await expect(rows.getByRole('link', { name: /0x30a822/i }).first()).toHaveAttribute(
    'href',
    /#\/addresses\/eip155%3A1\/0x30a822/i,
  );
  await expect(rows.getByRole('link', { name: /as a graph/ })).toHaveAttribute('href', /#\/graph\?case=bybit-2025.*at=0x30a822/i);
  await page.reload();
  await expect(rows).toHaveCount(1);

  await page.getByRole('button', { name: 'Show all' }).click();
  await expect(page.getByLabel(/^At least/)).toBeDisabled();
  await page.getByRole('combobox', { name: 'Stolen' }).selectOption('bybit-2025/meth');
  await page.getByLabel(/^At least/).fill('500');
  await page.keyboard.press('Tab');
  await expect(page).toHaveURL(/least=500000000000000000000(&|$)/);
  await page.getByLabel(/^At least/).fill('nonsense');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('alert')).toContainText('That is no amount');
});

test('the method is switched, and poison claims no origins', async ({ page, real }) => {
  await open(page, real, '/cases/bybit-2025/flow');
  await page.getByLabel('Method').selectOption('poison');
  await expect(page).toHaveURL(/method=poison/);
  await expect(page.getByText('there is no flow to draw')).toBeVisible();
  await page.getByRole('navigation', { name: 'views of the case' }).getByRole('link', { name: 'Where it is now' }).click();
  await expect(page).toHaveURL(/\/where\?method=poison/);
  await expect(page.getByRole('region', { name: 'headline' })).toContainText(
    'This method does not say where what part of it is.',
  );
});

test('the moment is chosen with the slider, from the theft to the newest block', async ({ page, real }) => {
  await open(page, real, '/cases/bybit-2025/where');
  const slider = page.getByRole('slider');
  await expect(slider).toHaveAttribute('aria-valuetext', 'the newest block');
  await expect(slider).toHaveAttribute('max', '11'); // 21 February to 3 March, and the newest block
  await slider.press('Home');
  await expect(page).toHaveURL(/as_of=2025-02-21/);
  await expect(slider).toHaveAttribute('aria-valuetext', 'the end of 2025-02-21');
  await expect(page.getByRole('region', { name: 'headline' })).toContainText('2025-02-21 to 2025-02-21');
  await page.getByRole('button', { name: 'Newest' }).click();
  await expect(page).not.toHaveURL(/as_of/);
});

test('the flow is drawn, a bar is kept, and leads to its places', async ({ page, played }) => {
  await open(page, played, '/cases/bybit-2025/flow'); // begins with what is at the most places
  const chart = page.getByRole('group', { name: /^How 401,346 ETH moved/ });
  await expect(chart.getByRole('link', { name: 'Stolen: 401,346 ETH, 100 %' })).toBeVisible();
  await expect(chart.getByRole('link', { name: /^THORChain: .* 72\.44 %$/ })).toBeVisible();
  await chart.getByRole('link', { name: /^In a mixer: .* 6\.8 %$/ }).click();
  await expect(page).toHaveURL(/node=kind\+mixer/);
  await expect(page.getByText('27,316.438123155871913398 ETH').first()).toBeVisible();
  await accessible(page);
  await page.getByText(/^The flow as a table/).click();
  await expect(page.getByRole('table', { name: 'Bands of the flow chart' }).locator('tbody tr')).toHaveCount(18);
  await page.getByRole('link', { name: 'Its places' }).click();
  await expect(page).toHaveURL(/\/where\?.*kind=mixer/);
  await expect(found(page)).toContainText('141 places');
});

test('the time line has lanes and events', async ({ page, played }) => {
  await open(page, played, '/cases/bybit-2025/time?colour=bybit-2025%2Feth');
  await expect(page.getByRole('img', { name: /^Sent across chains over time/ })).toBeVisible();
  await expect(page.getByRole('img', { name: /^Thefts over time/ }).locator('canvas')).toBeVisible();
  const events = page.getByRole('table', { name: /^The largest happenings/ }).locator('tbody tr');
  await expect(events).toHaveCount(12);
  await expect(events.first()).toContainText('2025-02-21 14:13 UTC');
  await expect(events.first()).toContainText('401,346 ETH');
  await page.getByText('The columns as a table').click();
  await expect(
    page.getByRole('table', { name: 'Volume by time and lane' }).getByRole('columnheader', { name: 'Thefts' }),
  ).toBeVisible();
  await accessible(page);
});

test('the six methods stand side by side, and say where they differ', async ({ page, played }) => {
  test.slow(); // six traces
  await open(page, played, '/cases/bybit-2025/methods');
  const six = page.getByRole('region', { name: 'The six methods side by side' }).getByRole('article');
  await expect(six).toHaveCount(6, { timeout: 60_000 });
  await expect(six.filter({ hasText: 'poison' })).toContainText('claims no origins');
  await expect(six.filter({ hasText: 'haircut' })).toContainText('traceable 69.88 %');
  const first = page
    .getByRole('table', { name: /how much the methods that conserve differ/ })
    .locator('tbody tr')
    .first();
  await expect(first).toContainText('4,030.8826 mETH');
  await expect(first).toContainText('328.35 mETH');
  await accessible(page);
  await six.getByRole('link', { name: 'haircut' }).click();
  await expect(page).toHaveURL(/\/where\?method=haircut/);
});

test('what could be frozen is grouped by who can act, copied, and saved', async ({ page, played, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, played, '/cases/bybit-2025/freeze');
  const list = page.getByRole('region', { name: 'What could still be frozen' });
  await expect(list).toContainText('965 places');
  const exchange = list.getByRole('article').filter({ has: page.getByRole('heading', { name: /^an exchange/ }) });
  await expect(exchange).toContainText('keeps the books');
  await expect(exchange).toContainText('765 more are not among them');
  await exchange.getByRole('button', { name: 'copy what an exchange can freeze' }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toContain('there since 2025-03-07T13:00:00Z');
  expect(text).toContain('765 places of the case are not in it');
  expect(text).toContain('digest sha256:ccebfc0e560ce7d0f85c39ee1c117ebf50e2d7eace5add11f153e51652c810bc');

  const [file] = await Promise.all([page.waitForEvent('download'), list.getByRole('button', { name: 'Save as CSV' }).click()]);
  expect(file.suggestedFilename()).toBe('bybit-2025-freeze-list.csv');
  const lines = (await readFile(await file.path(), 'utf8')).trimEnd().split('\r\n');
  expect(lines).toHaveLength(966);
  expect(lines[0]).toContain('who,act,jurisdictions,chain');
  await accessible(page);
  await list.getByLabel('Who can act').selectOption('issuer');
  await expect(list).toContainText('Nothing that this server knows of');
});

test('where the store holds something newer, the case is traced anew and says what changed', async ({ page, real, request }) => {
  await open(page, real, '/cases/bybit-2025/where?method=lifo');
  await expect(found(page)).toContainText('401,346 ETH (100 % of what was stolen of it)');
  const query = 'name=case-spec.csv&format=list&by=A.%20Analyst&label=An%20exchange&network=ethereum';
  const file = { data: '0x000000000000000000000000000000000000dEaD\n', headers: { 'Content-Type': 'text/plain' } };
  const preview = await request.post(`${real}/v1/labels/preview?${query}`, file);
  const { digest } = (await preview.json()) as { digest: string };
  const done = await request.post(`${real}/v1/labels/import?${query}&digest=${encodeURIComponent(digest)}`, file);
  expect(done.ok()).toBe(true);
  await page.reload();
  await expect(page.getByText('The store has newer blocks or labels since')).toBeVisible();
  await page.getByRole('button', { name: 'Trace anew' }).click();
  await expect(page.getByText(/^Traced anew: the digest is another one/)).toBeVisible();
  await expect(page.getByText('The store has newer blocks or labels since')).toBeHidden();
});

test('tabs are reached by keys, keep the method, and load the others’ views', async ({ page, real }) => {
  await open(page, real, '/cases/bybit-2025/where?method=tiho&kind=held');
  await page.keyboard.press('v');
  await page.keyboard.press('t');
  await expect(page).toHaveURL(/\/time\?method=tiho$/);
  for (const name of ['Notes', 'Members', 'History', 'Evidence']) {
    await page.getByRole('navigation', { name: 'views of the case' }).getByRole('link', { name }).click();
    await expect(page).toHaveURL(new RegExp(`/${name.toLowerCase()}\\?method=tiho$`));
  }
  await page.goto(`${real}/#/cases/bybit-2025/nonsense`);
  await expect(page.getByText('A case has no view of this name')).toBeVisible();
});

test('a case that is not there says so in the server’s words', async ({ page, real }) => {
  await open(page, real, '/cases/nobody');
  await expect(page.getByRole('alert')).toBeVisible();
});

test('on a phone the page does not scroll sideways', async ({ page, played }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const view of ['where', 'flow', 'time', 'freeze']) {
    await open(page, played, `/cases/bybit-2025/${view}`);
    await expect(page.getByRole('heading', { level: 2 }).first()).toBeVisible();
    await expect(page.locator('table').first()).toBeAttached();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  }
});
