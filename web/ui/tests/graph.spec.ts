import { readFile } from 'node:fs/promises';
import { accessible, expect, open, test } from './workbench';

const thief = '0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2';

test('the graph of a case is drawn, read as a table, and saved', async ({ page, played }) => {
  await open(page, played, '/graph?case=bybit-2025&limit=100');
  await expect(page.getByText(/^\d+ nodes, \d+ edges\. \d+ of \d+ nodes are not shown/)).toBeVisible({ timeout: 45_000 });
  await expect(page.locator('.picture canvas').first()).toBeVisible();
  await accessible(page);

  for (const [name, first] of [
    ['SVG', '<svg'],
    ['GraphML', '<?xml'],
  ] as const) {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name, exact: true }).click()]);
    expect((await readFile(await file.path(), 'utf8')).slice(0, 200), name).toContain(first);
  }
  const [picture] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'PNG', exact: true }).click(),
  ]);
  expect((await readFile(await picture.path())).subarray(1, 4).toString()).toBe('PNG');

  await page.getByRole('button', { name: 'Table', exact: true }).click();
  await expect(page).toHaveURL(/view=table/);
  await expect(page.getByRole('region', { name: 'nodes' })).toContainText('theft');
});

test('an address is followed by hand, by keys, and what was done is in the link', async ({ page, real }) => {
  await open(page, real, `/graph?address=${encodeURIComponent(`eip155:1|${thief}`)}`);
  await expect(page.getByText(/^\d+ nodes, \d+ edges/)).toBeVisible();
  const picture = page.getByRole('application');
  await picture.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  const side = page.getByRole('region', { name: 'what is chosen' });
  await expect(side.locator('h2')).toBeVisible();
  await side.getByLabel('Note').fill('look here <b>');
  await page.keyboard.press('Tab');
  await side.getByLabel('Mark').selectOption('amber');
  await expect(page).toHaveURL(/[?&]s=/);
  await page.reload();
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  await expect(page.getByRole('region', { name: 'nodes' })).toContainText('look here <b>');
  await page.getByRole('button', { name: 'Picture', exact: true }).click();
});

test('what was done is taken back and done again', async ({ page, real }) => {
  await open(page, real, `/graph?address=${encodeURIComponent(`eip155:1|${thief}`)}&view=table`);
  const nodes = page.getByRole('region', { name: 'nodes' });
  await nodes.getByRole('button').nth(1).click();
  await accessible(page);
  const counted = page.getByText(/^\d+ nodes, \d+ edges/);
  const before = (await counted.textContent()) ?? '';
  await page.getByRole('button', { name: 'Hide', exact: true }).click();
  await expect(counted).not.toHaveText(before);
  await page.keyboard.press('Control+z');
  await expect(counted).toHaveText(before);
  await page.keyboard.press('Control+y');
  await expect(counted).not.toHaveText(before);
});
