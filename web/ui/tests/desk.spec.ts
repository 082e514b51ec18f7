import { accessible, expect, open, test } from './workbench';

const thief = '0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2';
const hostile =
  '<img src=x onerror="document.title=1"><script>document.title=1</script> javascript:alert(1) {{7*7}} \u202Egnp.exe';

test('the thief is refused, what is no address is unknown, and ten thousand rows stay in pages', async ({ page, real }) => {
  await open(page, real, '/screening');
  const box = page.getByLabel(/^Addresses or transactions/);
  await box.fill(`${thief}\nnonsense`);
  await page.getByRole('button', { name: 'Judge' }).click();
  const rows = page.getByRole('region', { name: 'verdicts' }).locator('tbody tr');
  await expect(rows).toHaveCount(2);
  await expect(rows.nth(0)).toContainText(/refuse|freeze/);
  await expect(rows.nth(1)).toContainText('unknown');
  await accessible(page);
  await rows.nth(0).getByRole('button').click();
  await expect(page.getByRole('dialog', { name: 'Verdict' })).toContainText('bybit-2025');
  await page.keyboard.press('Escape');

  const list = Array.from({ length: 9_999 }, (_, i) => `0x${i.toString(16).padStart(40, '0')},ethereum`);
  const content = `address,chain\n${thief},ethereum\n${list.join('\n')}\n`;
  await page.getByLabel('or a file').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(content) });
  await expect(page.getByText('1 to 100 of 10000')).toBeVisible({ timeout: 30_000 });
  await expect(rows).toHaveCount(100);
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByText('101 to 200 of 10000')).toBeVisible();
});

test('a note of a stranger is text, a member is put on the case, and a revision shows what it changed', async ({
  page,
  real,
}) => {
  await open(page, real, '/cases/bybit-2025/notes');
  await page.getByLabel('New note').fill(hostile);
  await page.getByRole('button', { name: 'Keep the note' }).click();
  await expect(page.locator('article .text')).toHaveText(hostile);
  expect(await page.locator('article img, article script').count()).toBe(0);
  expect(await page.title()).toBe('Coldtrail');
  await accessible(page);

  await open(page, real, '/cases/bybit-2025/members');
  await page.getByLabel('Identifier of a person or a key').fill('analyst-7');
  await page.getByRole('button', { name: 'Put on the case' }).click();
  await expect(page.locator('tbody tr')).toContainText('analyst-7');
  await accessible(page);

  await open(page, real, '/cases');
  await page.getByRole('button', { name: 'change bybit-2025' }).click();
  const file = page.getByLabel('Case file (YAML)');
  const before = await file.inputValue();
  await file.fill(before.replace('title: Bybit cold wallet theft', 'title: Bybit cold wallet theft, seen again'));
  await page.getByLabel('Why').fill('a better title');
  await page.getByRole('button', { name: 'Save a new revision' }).click();
  await expect(page.locator('tbody')).toContainText('seen again');
  await open(page, real, '/cases/bybit-2025/history');
  await page.getByText('What it changed').click();
  await expect(page.locator('.added')).toContainText('seen again');
  await expect(page.getByText('a better title')).toBeVisible();
  await accessible(page);

  await open(page, real, '/cases');
  await page.getByRole('button', { name: 'change bybit-2025' }).click();
  await file.fill(before);
  await page.getByLabel('Why').fill('as it was');
  await page.getByRole('button', { name: 'Save a new revision' }).click();
  await expect(page.locator('tbody')).not.toContainText('seen again');
});

test('a case file that is none is refused in the server’s words', async ({ page, real }) => {
  await open(page, real, '/cases');
  await page.getByRole('button', { name: 'New case' }).click();
  await page.getByLabel('Case file (YAML)').fill('case: broken\nthefts: 7\n');
  await page.getByRole('button', { name: 'Open the case' }).click();
  await expect(page.getByRole('alert')).toContainText(/broken|thefts|line/);
});

test('a venue says that everybody passes, and an operator sets it by hand', async ({ page, real, request }) => {
  const made = await request.put(`${real}/v1/venues/router`, { data: { name: 'Router', kind: 'events', config: {} } });
  expect(made.status(), await made.text()).toBe(200);
  await open(page, real, '/venues');
  await page.getByRole('link', { name: 'Router' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Router');
  await accessible(page);
  await page.getByLabel('Incident').fill('bybit-2025');
  await page.getByLabel('Route').fill('swap');
  await page.getByLabel('State').selectOption('HALT');
  await page.getByLabel('Reason').fill('thieves are at work');
  await page.getByRole('button', { name: 'Set the state by hand' }).click();
  await expect(page.getByRole('region', { name: 'bybit-2025 by swap' })).toContainText('thieves are at work');
});

test('alerts are read on a phone', async ({ page, real }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page, real, '/alerts');
  await expect(page.getByRole('status').filter({ hasText: 'live' })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await accessible(page);
});

test('jobs are listed', async ({ page, real }) => {
  await open(page, real, '/jobs');
  await accessible(page);
});
