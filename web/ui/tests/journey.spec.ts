import { execFileSync } from 'node:child_process';
import { binary } from './build';
import { expect, open, test } from './workbench';

// An investigator's first minutes, without a mouse: from a name to a file that proves where the money is.
test('from the search to a bundle of evidence, by keys alone', async ({ page, real }, info) => {
  await open(page, real, '/');
  await page.keyboard.press('/');
  await page.keyboard.type('Bybit cold wallet theft');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#\/cases\/bybit-2025/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Bybit cold wallet theft');

  const evidence = page.getByRole('link', { name: 'Evidence' });
  for (let i = 0; i < 60 && !(await evidence.evaluate((link) => link === document.activeElement)); i++)
    await page.keyboard.press('Tab');
  await expect(evidence).toBeFocused();
  await page.keyboard.press('Enter');

  const build = page.getByRole('button', { name: /build the bundle/i });
  await expect(build).toBeVisible();
  for (let i = 0; i < 60 && !(await build.evaluate((button) => button === document.activeElement)); i++)
    await page.keyboard.press('Tab');
  await expect(build).toBeFocused();
  await page.keyboard.press('Enter');

  const save = page.getByRole('button', { name: /download/i }).first();
  await expect(save).toBeVisible({ timeout: 45_000 });
  for (let i = 0; i < 80 && !(await save.evaluate((button) => button === document.activeElement)); i++)
    await page.keyboard.press('Tab');
  await expect(save).toBeFocused();
  const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  const bundle = info.outputPath('bundle.zip');
  await file.saveAs(bundle);
  const said = JSON.parse(execFileSync(binary, ['verify', bundle, '--json'], { encoding: 'utf8' })) as Record<string, unknown>;
  expect(JSON.stringify(said)).toContain('sha256:');
});
