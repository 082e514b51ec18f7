import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { accessible, expect, open, test } from './known';
import { fits, hostile, inert } from './hostile';

const thief = '0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2';
const table = (page: Page) => page.getByRole('region', { name: 'table of verdicts' });
const rowOf = (page: Page, number: number) =>
  table(page)
    .getByRole('row')
    .filter({ has: page.getByRole('cell', { name: number.toLocaleString('en-US'), exact: true }) });
const csvFile = (name: string, text: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });

test('one address is judged, with reasons, facts, basis and its number in the audit log; a link shows the same', async ({
  page,
  real,
}) => {
  await open(page, real, '/screening');
  await page.getByLabel('Addresses or transactions').fill(thief.toLowerCase());
  await page.getByLabel('Wanted for').selectOption('withdrawal');
  await page.getByRole('button', { name: 'Judge' }).click();
  const check = async () => {
    const verdict = page.getByRole('region', { name: 'Verdict' });
    await expect(verdict).toContainText(thief);
    await expect(verdict).toContainText('refuse');
    await expect(verdict).toContainText('severe');
    await expect(verdict).toContainText('Stolen value came to it, or went from it, with nobody in between.');
    await expect(verdict).toContainText('block 21968077');
    await expect(verdict).toContainText('default@1 sha256:');
    await expect(verdict).toContainText(/record \d+/);
    await expect(verdict.getByRole('table')).toContainText('401,346 ETH');
  };
  await check();
  await expect(page).toHaveURL(/subject=0x47666fab8bd0ac7003bce3f5c3585383f09486e2/);
  await expect(page).toHaveURL(/purpose=withdrawal/);
  await page.reload();
  await check();
  await expect(page.getByLabel('Wanted for')).toHaveValue('withdrawal');
  await accessible(page);
});

test('what is no address is unknown and never clean', async ({ page, real }) => {
  await open(page, real, '/screening?subject=nonsense');
  const verdict = page.getByRole('region', { name: 'Verdict' });
  await expect(verdict).toContainText('unknown');
  await expect(verdict).toContainText('It is no address and no transaction of any chain that is known here.');
  await expect(verdict).toContainText('Nothing is known of it; that is not the same as clean.');
  await expect(verdict.getByText('allow', { exact: true })).toHaveCount(0);
});

test('a table with columns in any order is read, and the columns can be chosen', async ({ page, real }) => {
  await open(page, real, '/screening');
  await page
    .getByLabel(/^or a file/)
    .setInputFiles(
      csvFile(
        'list.csv',
        `note;Network;"Wallet; address"\r\n"a ""quoted"" note";ethereum;${thief}\r\nx;bitcoin;1BoatSLRHtKNngkdXEeobR76b53LETtpyT\r\ny;;\r\n`,
      ),
    );
  await expect(page.getByLabel('Addresses are in')).toHaveValue('2');
  await expect(page.getByLabel('Chains are in')).toHaveValue('1');
  await expect(page.getByLabel('The first row has the names')).toBeChecked();
  await expect(page.getByRole('region', { name: 'the first rows' })).toContainText('a "quoted" note');
  await page.getByRole('button', { name: 'Judge 3' }).click();
  await expect(rowOf(page, 1)).toContainText('refuse');
  await expect(rowOf(page, 2)).toContainText('Its chain is not held');
  await expect(rowOf(page, 3)).toContainText('unknown');
  await expect(rowOf(page, 3)).toContainText('The row has nothing in the column of addresses.');
  await accessible(page);

  await page.getByLabel('Addresses are in').selectOption('0');
  await page.getByRole('button', { name: 'Judge 3' }).click();
  await expect(rowOf(page, 1)).toContainText('It is no address');
});

test('ten thousand rows are judged, filtered, turned, opened and taken away', async ({ page, real }, info) => {
  const address = (i: number) => `0x${(0x1000000 + i).toString(16).padStart(40, '0')}`;
  const lines = Array.from({ length: 10_000 }, (_, i) => {
    if (i === 4999) return thief;
    if (i === 7000) return '=HYPERLINK("http://evil.example")'.replaceAll('"', "'");
    return i % 1000 === 1 ? `nonsense ${i}` : i % 1000 === 2 ? `nonsense-${i}` : address(i);
  });
  await open(page, real, '/screening');
  await page.getByLabel('Chain', { exact: true }).fill('ethereum');
  await page.getByLabel(/^or a file/).setInputFiles(csvFile('many.csv', lines.join('\n')));
  await expect(page.getByText('10,000 rows')).toBeVisible();
  await page.getByRole('button', { name: 'Judge 10,000' }).click();
  const filter = page.getByRole('group', { name: 'filter by outcome' });
  await expect(filter.getByRole('button', { name: 'all 10,000' })).toBeVisible({ timeout: 45_000 });
  await expect(page.getByText('page 1 of 100')).toBeVisible();
  await expect(table(page).getByRole('row')).toHaveCount(101);
  await expect(filter.getByRole('button', { name: 'allow 0' })).toBeDisabled(); // the data of the demo is old: nobody can tell

  await filter.getByRole('button', { name: 'refuse 1' }).click();
  await expect(page).toHaveURL(/show=refuse/);
  await expect(table(page).getByRole('row')).toHaveCount(2);
  await expect(rowOf(page, 5000)).toContainText('severe');
  await rowOf(page, 5000).getByRole('button').click();
  const dialog = page.getByRole('dialog', { name: 'Verdict' });
  await expect(dialog).toContainText(thief);
  await expect(dialog).toContainText('bybit-2025');
  await expect(dialog).toContainText(/record \d+/);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();

  await filter.getByRole('button', { name: /^all [0-9]/ }).click();
  await page.getByRole('button', { name: 'Last' }).click();
  await expect(page.getByText('page 100 of 100')).toBeVisible();
  await expect(rowOf(page, 10_000)).toContainText('Ethereum');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download 10,000 as CSV' }).click(),
  ]);
  const path = info.outputPath('verdicts.csv');
  await file.saveAs(path);
  const rows = readFileSync(path, 'utf8').trimEnd().split('\r\n');
  expect(rows).toHaveLength(10_001);
  expect(rows[0]).toBe('row,given,subject,chain,outcome,level,score,reasons,why,sources,data until,audit');
  expect(rows[5000]).toMatch(new RegExp(`^5000,${thief},${thief},eip155:1,refuse,severe,90,`));
  expect(rows[7001]).toMatch(/^7001,'=HYPERLINK/);
  expect(rows[2]).toMatch(/^2,nonsense 1,nonsense 1,,review,unknown,0,not-an-address,/);
  expect(rows[3]).toMatch(/^3,nonsense-2,nonsense-2,[^,]*,review,unknown,0,not-an-address,/);
  expect(rows.slice(1).filter((row) => row.includes(',allow,'))).toEqual([]);
});

test('more than can be judged, and what is no table, is refused and not cut', async ({ page, real }) => {
  await open(page, real, '/screening');
  await page.getByLabel(/^or a file/).setInputFiles(csvFile('more.csv', 'x\n'.repeat(10_001)));
  await expect(page.getByRole('alert')).toHaveText('There are 10,001 rows; at most 10,000 are judged at once.');
  await expect(page.getByRole('button', { name: /^Judge/ })).toBeDisabled();
  await page.getByRole('button', { name: 'Take another' }).click();
  await page.getByLabel('Addresses or transactions').fill('a\n"b');
  await expect(page.getByRole('alert')).toHaveText('The quotation mark on line 2 has no end.');
});

test('an amount that the server refuses is said in its words', async ({ page, real }) => {
  await open(page, real, '/screening');
  await page.getByLabel('Addresses or transactions').fill(thief);
  await page.getByLabel('Amount in base units').fill('9'.repeat(78));
  await page.getByRole('button', { name: 'Judge' }).click();
  await expect(page.getByRole('alert')).toContainText('amount');
});

test('hostile rows stay text, and the page fits a phone', async ({ page, real }) => {
  await open(page, real, '/screening');
  await page.getByLabel('Addresses or transactions').fill(hostile.map((text) => `"${text.replaceAll('"', '""')}"`).join('\n'));
  await page.getByRole('button', { name: `Judge ${hostile.length}` }).click();
  for (const [i] of hostile.entries()) await expect(rowOf(page, i + 1)).toContainText('unknown');
  await rowOf(page, 2).getByRole('button').click();
  await expect(page.getByRole('dialog', { name: 'Verdict' })).toContainText(hostile[1] ?? '');
  await inert(page);
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page);
});
