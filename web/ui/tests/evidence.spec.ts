import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { binary } from './build';
import { accessible, expect, open, test } from './known';
import { fits, hostile, inert } from './hostile';

test('a bundle is built, downloaded and holds against the verifier', async ({ page, own, request }, info) => {
  await request.post(`${own}/v1/cases/bybit-2025/notes`, { data: { text: hostile[1] } });
  await open(page, own, '/cases/bybit-2025/evidence');
  await page.getByRole('button', { name: 'Build the bundle' }).click();
  const row = page.getByRole('row', { name: /bybit-2025/ }).filter({ hasText: 'done' });
  const [file] = await Promise.all([page.waitForEvent('download'), row.getByRole('button', { name: /^Download/ }).click()]);
  await expect(page.getByText(`coldtrail verify ${file.suggestedFilename()}`, { exact: true })).toBeVisible();
  const bundle = info.outputPath(file.suggestedFilename());
  await file.saveAs(bundle);
  const said = execFileSync(binary, ['verify', bundle], { encoding: 'utf8' }); // throws unless the exit status is 0
  expect(said).toContain('bybit-2025');
  const damaged = readFileSync(bundle);
  const middle = Math.floor(damaged.length / 2);
  damaged.writeUInt8(damaged.readUInt8(middle) ^ 1, middle);
  writeFileSync(`${bundle}.damaged.zip`, damaged);
  expect(() => execFileSync(binary, ['verify', `${bundle}.damaged.zip`], { stdio: 'ignore' })).toThrow();
  await inert(page);
  await accessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page);
});

test('reports are written in the forms that were chosen', async ({ page, own }) => {
  await open(page, own, '/cases/bybit-2025/evidence');
  const forms = page.getByRole('form', { name: 'Reports' });
  await forms.getByLabel('HTML, to be read').uncheck();
  await expect(forms.getByRole('button', { name: 'Write the reports' })).toBeDisabled();
  await forms.getByLabel('CSV tables').check();
  await forms.getByLabel('STIX 2.1').check();
  await forms.getByLabel(/Who may read/).selectOption('green');
  await forms.getByLabel('Who answers for it').fill('A. Analyst');
  const [begun] = await Promise.all([
    page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/v1/jobs')),
    forms.getByRole('button', { name: 'Write the reports' }).click(),
  ]);
  expect(begun.postDataJSON()).toEqual({
    kind: 'report',
    case: 'bybit-2025',
    method: 'fifo',
    formats: ['csv', 'stix'],
    analyst: 'A. Analyst',
    tlp: 'green',
  });
  const row = page.getByRole('row', { name: /bybit-2025-report.zip/ });
  const [file] = await Promise.all([page.waitForEvent('download'), row.getByRole('button', { name: /^Download/ }).click()]);
  expect(file.suggestedFilename()).toBe('bybit-2025-report.zip');
});

test('a moment that is none is refused in the words of the server', async ({ page, own }) => {
  await open(page, own, '/cases/bybit-2025/evidence?as_of=yesterday');
  await page.getByRole('button', { name: 'Build the bundle' }).click();
  await expect(page.getByRole('alert')).toContainText('yesterday');
});
