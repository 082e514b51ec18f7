import type { Page } from '@playwright/test';
import { accessible, csv, ethereum, expect, open, test } from './known';

const header = ['address', 'network', 'label', 'actor', 'category', 'by', 'source', 'why'];
const victim = '0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4';

/** What thieves and jokers may call an address. */
const hostile = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror="document.title=\'owned\'">',
  '<svg/onload=alert(1)>',
  '<a href="javascript:alert(1)" id="owned">click</a>',
  '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>',
  '<style>*{display:none}</style>',
  '</td></table></main><h1 id="owned">gone</h1>',
  'javascript:alert(document.domain)',
  'data:text/html,<script>alert(1)</script>',
  '**bold** [x](javascript:alert(1)) ![y](http://evil.example/p.png)',
  '{{constructor.constructor("alert(1)")()}}',
  '${alert(1)} {@html "<b id=owned>x</b>"}',
  '=HYPERLINK("http://evil.example")',
  "' OR 1=1 --",
  'null',
  'undefined',
  'NaN',
  '[object Object]',
  '__proto__',
  'constructor',
  '&lt;b&gt;&amp;',
  '%3Cscript%3Ealert(1)%3C/script%3E',
  'W'.repeat(900),
  '👩‍💻 émigré שלום',
];
/** What cannot be seen is shown by its code. */
const unseen: [string, string][] = [
  ['pay \u202egpj.exe', 'pay U+202Egpj.exe'],
  ['Bin\u200dance', 'BinU+200Dance'],
  ['\u2066\u202ereversed\u2069', 'U+2066U+202EreversedU+2069'],
  ['nul\u0000byte', 'nulU+0000byte'],
];

const picker = (page: Page) => page.getByLabel('File of labels');
const preview = (page: Page) => page.getByRole('region', { name: 'What it would change' });
const taken = (page: Page) => page.getByRole('region', { name: 'Taken in', exact: true });
const lists = (page: Page) => page.getByRole('region', { name: 'What was taken in', exact: true });

/** Nothing of a hostile text may have become part of the page, or have run. */
async function inert(page: Page): Promise<void> {
  await expect(page.locator('#owned, main img, main script, main iframe, main svg[onload], main style')).toHaveCount(0);
  await expect(page.locator('a[href^="javascript:"], a[href^="data:"]')).toHaveCount(0);
  expect(await page.title()).not.toBe('owned');
  expect(await page.evaluate(() => document.querySelectorAll('main').length)).toBe(1);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(1280);
}

test('a list is compared, then taken in, and what changes is said row by row', async ({ page, own }) => {
  await open(page, own, '/labels');
  await picker(page).setInputFiles(
    csv(
      'mine.csv',
      header,
      [
        '0x0000000000000000000000000000000000000a11',
        'ethereum',
        'First wallet',
        'somebody',
        'exchange',
        'me',
        'https://example.org/1',
        '',
      ],
      ['0x0000000000000000000000000000000000000a12', 'ethereum', 'Second wallet', 'somebody', '', 'me', '', ''],
      ['0x12', 'ethereum', 'No address', '', '', 'me', '', ''],
    ),
  );
  await expect(preview(page)).toContainText('Read as csv; nothing has changed yet.');
  await expect(preview(page).getByRole('button', { name: '2 added' })).toBeVisible();
  await preview(page).getByRole('button', { name: '1 refused' }).click();
  const rows = preview(page).locator('tbody tr');
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('4');
  await expect(rows).toContainText('address 0x12 is none of ethereum: want 0x and 40 hexadecimal digits');
  await accessible(page);

  // A file with a bad row is not taken in by accident.
  const take = preview(page).getByRole('button', { name: 'Take in 2 changes' });
  await expect(take).toBeDisabled();
  await preview(page).getByLabel('Leave out the 1 refused row, and take in the rest').check();
  await expect(take).toBeEnabled();
  await take.click();
  await expect(taken(page)).toContainText('mine.csv: 2 added, 0 changed, 0 withdrawn, 0 unchanged, 1 refused.');
  await expect(lists(page).getByRole('row', { name: /^mine\.csv/ })).toContainText('2');
  await accessible(page);

  // The same again changes nothing; a corrected row replaces what the list said.
  await picker(page).setInputFiles(
    csv('mine.csv', header, [
      '0x0000000000000000000000000000000000000a11',
      'ethereum',
      'First wallet',
      'somebody',
      'exchange',
      'me',
      'https://example.org/1',
      '',
    ]),
  );
  await expect(preview(page)).toContainText('1 rows say what is held already');
  await expect(preview(page).getByRole('button', { name: 'There is nothing to take in' })).toBeDisabled();
});

test('what a file does not say is said beside it', async ({ page, own }) => {
  await open(page, own, '/labels');
  await page.getByText('What the file does not say').click();
  await page.getByLabel('Who says so').fill('Our unit');
  await page.getByLabel('What is said').fill('Seized wallet');
  await page.getByLabel('Network').fill('ethereum');
  await page.getByLabel('Format').selectOption('list');
  await picker(page).setInputFiles({
    name: 'seized.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('0x0000000000000000000000000000000000000b01\n'),
  });
  await expect(preview(page).locator('tbody tr')).toContainText('Seized wallet');
  await preview(page).getByRole('button', { name: 'Take in 1 change' }).click();
  await expect(taken(page)).toContainText('1 added');
  await expect(lists(page).getByRole('row', { name: /^seized\.txt/ })).toContainText('Our unit');
});

test('labels that changed since the comparison refuse the file, and say what to do', async ({ page, own }) => {
  await open(page, own, '/labels');
  await picker(page).setInputFiles(
    csv('late.csv', header, ['0x0000000000000000000000000000000000000c01', 'ethereum', 'Late', '', '', 'me', '', '']),
  );
  await expect(preview(page).getByRole('button', { name: 'Take in 1 change' })).toBeEnabled();
  // Meanwhile somebody else takes in a list.
  const body = 'address,network,label,by\n0x0000000000000000000000000000000000000c02,ethereum,Elsewhere,other\n';
  const query = 'name=elsewhere.csv';
  const post = (path: string) =>
    page.request.post(`${own}/v1/labels/${path}`, { data: body, headers: { 'Content-Type': 'text/csv' } });
  const { digest } = await (await post(`preview?${query}`)).json();
  expect((await post(`import?${query}&digest=${encodeURIComponent(digest)}`)).status()).toBe(200);

  await preview(page).getByRole('button', { name: 'Take in 1 change' }).click();
  await expect(preview(page).getByRole('alert')).toBeVisible();
  await preview(page).getByRole('button', { name: 'Compare again' }).click();
  await expect(preview(page).getByRole('alert')).toHaveCount(0);
  await preview(page).getByRole('button', { name: 'Take in 1 change' }).click();
  await expect(taken(page)).toContainText('late.csv: 1 added');
});

test('a file is dropped, and one that is too large is not sent', async ({ page, own }) => {
  await open(page, own, '/labels');
  const zone = page.locator('label.drop');
  const drop = async (name: string, bytes: number, text: string) => {
    const transfer = await page.evaluateHandle(
      ([name, bytes, text]) => {
        const data = new DataTransfer();
        data.items.add(new File([text, new Uint8Array(bytes)], name));
        return data;
      },
      [name, bytes, text] as const,
    );
    await zone.dispatchEvent('drop', { dataTransfer: transfer });
  };
  await drop('dropped.csv', 0, 'address,network,label,by\n0x0000000000000000000000000000000000000d01,ethereum,Dropped,me\n');
  await expect(preview(page).locator('tbody tr')).toContainText('Dropped');
  await preview(page).getByRole('button', { name: 'Leave it' }).click();
  await expect(preview(page)).toHaveCount(0);
  await drop('large.csv', 32 * 1024 * 1024, 'x');
  await expect(page.getByRole('alert')).toContainText('the server takes 33,554,432 at most');
});

test('what is no list says why', async ({ page, own }) => {
  await open(page, own, '/labels');
  await picker(page).setInputFiles({ name: 'broken.yaml', mimeType: 'text/plain', buffer: Buffer.from('title: [') });
  await expect(preview(page).getByRole('alert')).toBeVisible();
  await accessible(page);
});

test('hostile labels are text everywhere', async ({ page, own }) => {
  test.slow(); // many pages, each looked through
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const all = [...hostile, ...unseen.map(([written]) => written)];
  const shown = [...hostile, ...unseen.map(([, read]) => read)];
  // Every text is the label, who says so, where it was published and why, of an actor that all of them name.
  const rows = all.map((text) => [victim, 'ethereum', text, 'evil-actor', '', text, text, text]);
  // An actor may be named so as well.
  const actor = '"><img src=x onerror=alert(1)>';
  rows.push(['0x0000000000000000000000000000000000000e01', 'ethereum', 'harmless', actor, '', 'me', '', '']);

  await open(page, own, '/labels');
  await picker(page).setInputFiles(csv('<img src=x onerror=alert(1)>.csv', header, ...rows));
  await expect(preview(page).locator('tbody tr')).toHaveCount(all.length + 1);
  const cells = preview(page).locator('tbody td:nth-child(4)');
  for (const text of shown) await expect(cells.filter({ hasText: text }).first()).toBeVisible();
  await inert(page);
  await preview(page)
    .getByRole('button', { name: `Take in ${all.length + 1} changes` })
    .click();
  await expect(taken(page)).toContainText(`<img src=x onerror=alert(1)>.csv: ${all.length + 1} added`);
  await inert(page);

  // The address: every text in every column, character by character.
  await open(page, own, `/addresses/${ethereum}/${victim}`);
  const labels = page.getByRole('region', { name: 'What others say' });
  await expect(labels.locator('tbody tr')).toHaveCount(all.length);
  const said = await labels
    .locator('tbody tr')
    .evaluateAll((list) => list.map((row) => row.querySelector('td bdi')?.textContent ?? ''));
  expect(said.toSorted()).toEqual(shown.toSorted());
  const by = await labels
    .locator('tbody tr')
    .evaluateAll((list) => list.map((row) => row.querySelector('td:nth-child(4) bdi')?.textContent ?? ''));
  expect(by.toSorted()).toEqual(shown.toSorted());
  await inert(page);
  await accessible(page);

  // The entity that they all name, and the one whose name is hostile.
  await open(page, own, '/entities/evil-actor');
  const addresses = page.getByRole('region', { name: 'Addresses' });
  await expect(addresses.locator('tbody tr').first()).toBeVisible();
  await inert(page);
  await open(page, own, `/entities/${encodeURIComponent(actor)}`);
  await expect(page.getByRole('region', { name: 'Addresses' })).toContainText('harmless');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(actor);
  await inert(page);

  // Search: among the suggestions, and in the list.
  for (const text of ['<script>', '"><img', '{{constructor', '__proto__', '**bold**']) {
    await page.getByRole('combobox', { name: 'Search' }).fill(text);
    await expect(page.getByRole('option').filter({ hasText: text }).first()).toBeVisible();
    await inert(page);
    await open(page, own, `/search/${encodeURIComponent(text)}`);
    await expect(page.getByRole('main').getByRole('listitem').filter({ hasText: text }).first()).toBeVisible();
    await inert(page);
  }

  // The parties of a transaction.
  await open(page, own, `/txs/${ethereum}/0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c`);
  const moved = page.getByRole('region', { name: 'What moved' });
  await moved.getByRole('button', { name: `${all.length - 3} more labels` }).click();
  await expect(moved.getByText(hostile[0] ?? '', { exact: true }).first()).toBeVisible();
  await inert(page);
  expect(dialogs).toEqual([]);
});
