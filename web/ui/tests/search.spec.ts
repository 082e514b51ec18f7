import { accessible, ethereum, expect, open, test, theft, thief } from './known';
import type { Page } from '@playwright/test';

const box = (page: Page) => page.getByRole('combobox', { name: 'Search' });
const options = (page: Page) => page.getByRole('option');

test('suggests while one types, and is used by the keys alone', async ({ page, real }) => {
  await open(page, real, '/');
  await page.keyboard.press('/');
  await expect(box(page)).toBeFocused();
  await page.keyboard.type('bybit');
  await expect(options(page)).toHaveCount(2);
  await expect(options(page).nth(0)).toContainText('Bybit cold wallet');
  await expect(box(page)).toHaveAttribute('aria-expanded', 'true');
  await accessible(page);

  await page.keyboard.press('ArrowDown');
  await expect(options(page).nth(0)).toHaveAttribute('aria-selected', 'true');
  await expect(box(page)).toHaveAttribute('aria-activedescendant', (await options(page).nth(0).getAttribute('id')) ?? '');
  await page.keyboard.press('ArrowUp'); // back in the field
  await expect(box(page)).not.toHaveAttribute('aria-activedescendant');
  await page.keyboard.press('ArrowUp'); // from the field to the last one
  await expect(options(page).nth(1)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Escape');
  await expect(box(page)).toHaveAttribute('aria-expanded', 'false');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#\/incidents\/bybit-2025$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Bybit cold wallet');
  await expect(options(page)).toHaveCount(0);
});

test('Enter on what is named exactly leads there, however it is written', async ({ page, real }) => {
  await open(page, real, '/');
  const ways: [string, string][] = [
    [thief, `/addresses/${ethereum}/${thief}`],
    [thief.slice(2).toLowerCase(), `/addresses/${ethereum}/${thief}`],
    [theft, `/txs/${ethereum}/${theft}`],
    [theft.slice(2).toUpperCase(), `/txs/${ethereum}/${theft}`],
    ['lazarus group', '/entities/lazarus-group'],
    ['Bybit cold wallet theft', '/cases/bybit-2025'],
    ['steth', '/assets/eip155%3A1%2Ferc20%3A0xae7ab96520de3a18e5e111b5eaab095312d7fe84'],
  ];
  for (const [text, route] of ways) {
    await box(page).fill(text);
    await box(page).press('Enter');
    await expect(page).toHaveURL(`${real}/#${route}`);
  }
});

test('a text with several meanings is listed, the likeliest first', async ({ page, real }) => {
  await open(page, real, '/');
  await box(page).fill('bybit');
  await box(page).press('Enter');
  await expect(page).toHaveURL(/#\/search\/bybit$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Search for bybit');
  const found = page.getByRole('main').getByRole('listitem');
  await expect(found).toHaveCount(2);
  await expect(found.nth(0)).toContainText('Theft on record');
  await expect(found.nth(1)).toContainText('Case');
  await accessible(page);
  await found.nth(1).getByRole('link').click();
  await expect(page).toHaveURL(/#\/cases\/bybit-2025$/);
});

test('a block is said, and nothing found is not clean', async ({ page, real }) => {
  await open(page, real, '/search/%2321895251');
  await expect(page.getByRole('main').getByRole('listitem')).toContainText('2025-02-21T14:16:11Z, 4 transactions');
  await open(page, real, '/search/nobody%20is%20called%20so');
  await expect(page.getByRole('main')).toContainText('That something is not found is not to say that it is clean');
  await accessible(page);
});

test('an output leads to its transaction', async ({ page, early }) => {
  const id = 'f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16';
  await open(page, early, '/');
  await box(page).fill(`${id}:0`);
  await expect(options(page).first()).toContainText('output of 1000000000 satoshi, unspent');
  await box(page).press('Enter');
  await expect(page).toHaveURL(new RegExp(`#/txs/bip122%3A000000000019d6689c085ae165831e93/${id}$`));
});

test('what cannot be asked is told in the words of the server', async ({ page, real }) => {
  await open(page, real, '/search/' + 'a'.repeat(600));
  await expect(page.getByRole('alert')).toContainText('The request cannot be understood');
});

test('the search is of use on a phone', async ({ page, real }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page, real, '/search/bybit');
  await expect(page.getByRole('main').getByRole('listitem')).toHaveCount(2);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
});
