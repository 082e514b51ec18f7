import { accessible, expect, open, test } from './workbench';

const pages = ['Overview', 'Cases', 'Graph', 'Screening', 'Alerts', 'Venues', 'Labels', 'Assets', 'Jobs'];

test('every page is reached by its link and by its keys', async ({ page, real }) => {
  await open(page, real, '/');
  const places = page.getByRole('navigation', { name: 'pages' });
  for (const name of pages) {
    await places.getByRole('link', { name }).click();
    await expect(places.getByRole('link', { name })).toHaveAttribute('aria-current', 'page');
    await expect(page.locator('main h1').first()).toBeVisible();
  }
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await expect(page).toHaveURL(/#\/cases$/);
});

test('the keys are listed, and the dialogue closes on Escape', async ({ page, real }) => {
  await open(page, real, '/');
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await expect(dialog).toContainText('Go to Cases');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('light and dark are chosen, kept, and readable', async ({ page, real }) => {
  await open(page, real, '/');
  await page.getByRole('button', { name: /^colours: as the system/ }).click();
  await page.getByRole('button', { name: /^colours: light/ }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await accessible(page);
});

test('an address that is no page says so', async ({ page, real }) => {
  await open(page, real, '/nowhere');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('There is no such page');
});
