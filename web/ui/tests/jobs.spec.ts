import { readFileSync } from 'node:fs';
import { accessible, expect, open, test } from './known';
import { fits } from './hostile';

test('work is listed with what it made, filtered, downloaded and removed', async ({ page, own, request }, info) => {
  await open(page, own, '/jobs');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Jobs');
  const begun = await request.post(`${own}/v1/jobs`, { data: { kind: 'report', case: 'bybit-2025', formats: ['html'] } });
  expect(begun.status()).toBe(202);
  const job = (await begun.json()) as { id: string };
  // Newest first; a report of one page is a file, one with letters to services a folder.
  const rows = page.getByRole('row', { name: /bybit-2025-report\.(html|zip)/ });
  const row = rows.first();
  await expect(row).toContainText('done');
  await expect(row.getByRole('link', { name: 'bybit-2025' })).toHaveAttribute('href', '#/cases/bybit-2025');
  const [file] = await Promise.all([page.waitForEvent('download'), row.getByRole('button', { name: /^Download/ }).click()]);
  const path = info.outputPath(file.suggestedFilename());
  await file.saveAs(path);
  expect(readFileSync(path).length).toBeGreaterThan(1000);
  await accessible(page);

  await page.getByLabel('State').selectOption('failed');
  await expect(page.getByText('No job is failed.')).toBeVisible();
  await expect(page).toHaveURL(/state=failed/);
  await page.getByRole('button', { name: 'Show all' }).click();
  // Other tests have made reports of this case on the same server.
  const { items } = (await (await request.get(`${own}/v1/jobs`)).json()) as { items: { kind: string }[] };
  const before = items.filter((item) => item.kind === 'report').length;
  await expect(rows).toHaveCount(before);
  await row.getByRole('button', { name: /^remove from the list/ }).click();
  await expect(rows).toHaveCount(before - 1);
  expect((await request.get(`${own}/v1/jobs/${job.id}`)).status()).toBe(404);
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page);
});

test('work that runs is cancelled', async ({ page, own }) => {
  // The answers of the server are held still in the middle of a job, which is over too soon to be caught by hand.
  let state = 'running';
  const job = () => ({
    id: 'j1',
    kind: 'trace',
    title: 'Trace of bybit-2025',
    case: 'bybit-2025',
    method: 'fifo',
    state,
    by: 'open',
    created: 1_795_000_000,
    started: 1_795_000_001,
    done: 12_345,
    total: 72_827,
    unit: 'blocks',
    rate: 1000,
    eta_seconds: 60,
  });
  await page.route('**/v1/jobs?*', (route) => route.fulfill({ json: { items: [job()] } }));
  await page.route('**/v1/jobs/j1', (route) => {
    expect(route.request().method()).toBe('DELETE');
    state = 'cancelled';
    return route.fulfill({ json: job() });
  });
  await open(page, own, '/jobs');
  const row = page.getByRole('row', { name: /Trace of bybit-2025/ });
  await expect(row).toContainText('12,345 of 72,827 blocks, 1,000/s, 1 min left');
  await expect(row.getByRole('progressbar')).toHaveAttribute('value', '12345');
  await row.getByRole('button', { name: /^Cancel/ }).click();
  await expect(row).toContainText('cancelled');
  await expect(row.getByRole('progressbar')).toHaveCount(0);
});
