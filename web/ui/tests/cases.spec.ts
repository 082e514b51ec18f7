import { hostile, inert, fits } from './hostile';
import { accessible, expect, open, test } from './known';

const file = (id: string, title = 'Theft from a wallet') => `case: ${id}
title: ${title}
date: 2025-02-21
thefts:
  - colour: eth
    chain: ethereum
    asset: native
    tx: 0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c
    to: 0x47666fab8bd0ac7003bce3f5c3585383f09486e2
    amount: 401346768858404671846374
`;

test('the bundled case is in the list with who opened it', async ({ page, real }) => {
  await open(page, real, '/cases');
  const row = page.getByRole('row', { name: /Bybit cold wallet theft/ });
  await expect(row).toContainText('bybit-2025');
  await expect(row).toContainText('open');
  await expect(row).toContainText('demo');
  await page.getByLabel('Find').fill('nobody');
  await expect(page.getByText('No case matches.')).toBeVisible();
  await expect(page).toHaveURL(/find=nobody/);
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect(row).toBeVisible();
  await page.getByLabel('State').selectOption('closed');
  await expect(page.getByText('There is no closed case.')).toBeVisible();
  await accessible(page);
});

test('a case file that is wrong is refused in the words of the server, and is not lost', async ({ page, own }) => {
  await open(page, own, '/cases?new=1');
  const text = page.getByLabel('Case file (YAML)');
  await text.fill('case: broken\nthefts:\n  - colour: [\n');
  await page.getByRole('button', { name: 'Open the case broken' }).click();
  await expect(page.getByRole('alert')).toContainText('broken: line 3: did not find expected node content');
  await expect(page.getByRole('alert')).toContainText('Correct what the detail names');
  await expect(text).toHaveValue('case: broken\nthefts:\n  - colour: [\n');
  await text.fill('title: without a name\n');
  await expect(page.getByText('The case file needs a key case')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Open the case/ })).toBeDisabled();
  await accessible(page);
});

test('a new case is opened, changed, compared, closed and opened again', async ({ page, own }) => {
  await open(page, own, '/cases');
  await page.getByRole('button', { name: 'New case' }).click();
  await page.getByLabel('Case file (YAML)').fill(file('wallet-1'));
  await page.getByLabel('Why').fill('the victim called');
  await page.getByRole('button', { name: 'Open the case wallet-1' }).click();
  await expect(page).toHaveURL(/#\/cases\/wallet-1/);

  await open(page, own, '/cases?edit=wallet-1');
  await page.getByLabel('Case file (YAML)').fill(file('wallet-1').replace('2025-02-21', '2025-02-22'));
  const change = page.getByRole('region', { name: 'What changes in the case file' });
  await expect(change.getByRole('row', { name: /removed date: 2025-02-21/ })).toBeVisible();
  await expect(change.getByRole('row', { name: /added date: 2025-02-22/ })).toBeVisible();
  await page.getByLabel('Why').fill(hostile[0] ?? '');
  await page.getByRole('button', { name: 'Keep as a new revision' }).click();

  await expect(page).toHaveURL(/#\/cases\/wallet-1\/history/);
  const revisions = page.getByRole('table', { name: /^Revisions/ });
  await expect(revisions.getByRole('row')).toHaveCount(3);
  await expect(revisions.getByRole('row').nth(1)).toContainText(hostile[0] ?? '');
  await expect(revisions.getByRole('row').nth(1)).toContainText('case file');
  await expect(revisions.getByRole('row').nth(2)).toContainText('the victim called');
  const difference = page.getByRole('table', { name: /^The case file: 1 line added, 1 removed/ });
  await expect(difference.getByRole('row', { name: /3 removed date: 2025-02-21/ })).toBeVisible();
  await inert(page);
  await accessible(page);

  await page.getByRole('link', { name: 'Change the case' }).click();
  await page.getByLabel('Why').fill('the money came back');
  await page.getByRole('button', { name: 'Close the case' }).click();
  await expect(
    page
      .getByRole('table', { name: /^Revisions/ })
      .getByRole('row')
      .nth(1),
  ).toContainText('closed');
  await open(page, own, '/cases?state=closed');
  await expect(page.getByRole('row', { name: /Theft from a wallet/ })).toContainText('closed');
  await page.getByRole('button', { name: /^Change/ }).click();
  await page.getByLabel('Why').fill('it did not');
  await page.getByRole('button', { name: 'Open it again' }).click();
  await expect(
    page
      .getByRole('table', { name: /^Revisions/ })
      .getByRole('row')
      .nth(1),
  ).toContainText('opened again');
});

test('a change on an old revision overwrites nothing', async ({ page, own, request }) => {
  await request.put(`${own}/v1/cases/wallet-2`, { data: { title: 'T', text: file('wallet-2'), expect: 0 } });
  await open(page, own, '/cases?edit=wallet-2');
  await page.getByLabel('Title').fill('Mine');
  await page.getByLabel('Why').fill('a better title');
  await request.put(`${own}/v1/cases/wallet-2`, { data: { title: 'Theirs', text: file('wallet-2'), expect: 1 } });
  await page.getByRole('button', { name: 'Keep as a new revision' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByLabel('Title')).toHaveValue('Mine');
  expect(await (await request.get(`${own}/v1/cases/wallet-2`)).json()).toMatchObject({ title: 'Theirs', revision: 2 });
});

test('notes are kept in order, and hostile ones stay text', async ({ page, own, request }) => {
  await request.put(`${own}/v1/cases/wallet-3`, { data: { title: 'T', text: file('wallet-3'), expect: 0 } });
  await open(page, own, '/cases/wallet-3/notes');
  await expect(page.getByText('Nobody has written anything on this case yet.')).toBeVisible();
  for (const text of ['first line\nsecond line', ...hostile, 'pay \u202egpj.exe']) {
    await page.getByLabel('New note').fill(text);
    await page.getByRole('button', { name: 'Add the note' }).click();
    await expect(page.getByLabel('New note')).toHaveValue('');
  }
  const notes = page.getByRole('list', { name: 'notes, the newest first' }).getByRole('listitem');
  const check = async () => {
    await expect(notes).toHaveCount(hostile.length + 2);
    await expect(notes.first()).toContainText('pay U+202Egpj.exe');
    for (const [i, text] of hostile.entries()) await expect(notes.nth(hostile.length - i)).toContainText(text);
    await expect(notes.last()).toContainText(/first line\s*second line/);
    await inert(page);
  };
  await check();
  await page.reload();
  await check();
  await accessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page);
});

test('people are put on a case, given a role and taken off', async ({ page, own, request }) => {
  await request.put(`${own}/v1/cases/wallet-4`, { data: { title: 'T', text: file('wallet-4'), expect: 0 } });
  await open(page, own, '/cases/wallet-4/members');
  await expect(page.getByText('Nobody is on this case yet.')).toBeVisible();
  await page.getByLabel('Person or key').fill('alice@example.org');
  await page.getByLabel(/^Role/).selectOption('lead');
  await page.getByRole('button', { name: 'Put on the case' }).click();
  const row = page.getByRole('row', { name: /alice@example.org/ });
  await expect(row.getByLabel('role of alice@example.org')).toHaveValue('lead');
  await row.getByLabel('role of alice@example.org').selectOption('reader');
  await expect(page.getByText('alice@example.org is reader on the case.')).toBeVisible();
  const held = await (await request.get(`${own}/v1/cases/wallet-4/members`)).json();
  expect(held.items).toMatchObject([{ person: 'alice@example.org', role: 'reader', by: 'open' }]);
  await accessible(page);
  await row.getByRole('button', { name: /^Take off/ }).click();
  await expect(page.getByText('Nobody is on this case yet.')).toBeVisible();
});
