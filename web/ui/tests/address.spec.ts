import { accessible, bitcoin, csv, ethereum, expect, open, payment, test, theft, thief } from './known';

test('an address: verdict with reasons and age, holdings, what others say', async ({ page, real }) => {
  await open(page, real, `/addresses/${ethereum}/${thief.toLowerCase()}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(thief);
  const verdict = page.getByRole('region', { name: 'Verdict now' });
  await expect(verdict).toContainText('refuse');
  await expect(verdict).toContainText('score 90 of 100');
  await expect(verdict).toContainText('Stolen value came to it, or went from it, with nobody in between. (4 facts)');
  await expect(verdict).toContainText('Rests on the chain Ethereum until 2025-03-03 18:13 UTC');
  const ledger = page.getByRole('region', { name: 'In the ledger' });
  await expect(ledger).toContainText('1,345.768858404671846374 ETH');
  await expect(ledger).toContainText('2025-02-21 14:16 UTC');
  await expect(page.getByRole('region', { name: 'What others say' })).toContainText('That is not to say that it is clean');
  await accessible(page);
});

test('transfers with counterparties, page by page, and back', async ({ page, early, real }) => {
  await open(page, real, `/addresses/${ethereum}/${thief}/transfers`);
  const rows = page.getByRole('table').locator('tbody tr');
  await expect(rows).toHaveCount(75);
  await expect(rows.first()).toContainText('401,346 ETH');
  await expect(rows.first()).toContainText('in');
  await expect(rows.first().getByRole('link', { name: /^0x1Db92e/ })).toHaveAttribute(
    'title',
    '0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4',
  );
  await accessible(page);
  await rows
    .first()
    .getByRole('link', { name: /^0xb61413/ })
    .click();
  await expect(page).toHaveURL(new RegExp(`#/txs/${ethereum}/${theft}$`));

  // A reward has nobody on the other side.
  await open(page, early, `/addresses/${bitcoin}/12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S/transfers`);
  await expect(rows).toHaveCount(11);
  await expect(rows.first()).toContainText('made with the block, as its reward');
  await expect(rows.first()).toContainText('50 BTC');
});

test('more transfers than a page holds', async ({ page, played }) => {
  const hub = '/addresses/bip122%3A0f9188f13cb7b2c71f2a335e3a4fc328/bcrt1qe655attdyd8v75rdxhj7vg9urwtn358adqjtr3/transfers';
  await open(page, played, hub);
  const rows = page.getByRole('table').locator('tbody tr');
  await expect(page.getByRole('link', { name: 'Transfers 1,180' })).toBeVisible();
  await expect(rows).toHaveCount(100);
  const first = await rows.first().textContent();
  await page.getByRole('link', { name: 'Next 100' }).click();
  await expect(page).toHaveURL(/cursor=/);
  await expect(rows.first()).not.toHaveText(first ?? '');
  await page.goBack();
  await expect(rows.first()).toHaveText(first ?? '');
});

test('the owner: members, what ties them, and why a chosen pair is one', async ({ page, early }) => {
  await open(page, early, `/addresses/${bitcoin}/1DZTzaBHUDM7T3QvUKBz4qXMRpkg8jsfB5/owner`);
  await expect(page.getByRole('heading', { name: '3 addresses of one owner' })).toBeVisible();
  await expect(page.getByText('33.33 % stays together, whatever single transaction is wrong')).toBeVisible();
  await expect(page.getByRole('region', { name: 'What it hangs on' })).toContainText('without it 2 + 1 addresses');
  await page.getByRole('link', { name: 'why does 1DCbY2GYVaAMCBpuBNN5GVg3a47pNK1wdi have the same owner' }).click();
  await expect(page).toHaveURL(/\?to=1DCbY2GYVaAMCBpuBNN5GVg3a47pNK1wdi$/);
  const why = page.getByRole('region', { name: 'Why both have one owner' });
  await expect(why).toContainText('co-spend in 28204cad1d7fc1d199e8ef4fa22f182de6258a3eaafe1bbe56ebdcacd3069a5f');
  await expect(why).toContainText('90');
  await accessible(page);
  await page.getByLabel('Why would another address have the same owner?').fill('12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S');
  await page.getByRole('button', { name: 'Ask why' }).click();
  await expect(page.getByRole('region', { name: 'Why not' })).toContainText('No rule says that');
});

test('members of a large cluster come in pages', async ({ page, early }) => {
  await open(page, early, `/addresses/${bitcoin}/1A1Pq4fdRpSRPabERxDsXbGCWH1z52g8sg/owner`);
  const members = page.getByRole('region', { name: 'Members' });
  await expect(members).toContainText('50 of 70 on this page');
  await members.getByRole('link', { name: 'Next members' }).click();
  await expect(members).toContainText('20 of 70 on this page');
  await expect(members).toContainText('this one');
});

test('an address that no rule ties to another says so calmly', async ({ page, real }) => {
  await open(page, real, `/addresses/${ethereum}/${thief}/owner`);
  await expect(page.getByText('No rule ties another address to this one.')).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('exposure in both directions', async ({ page, real }) => {
  await open(page, real, `/addresses/${ethereum}/0x36ed3C0213565530C35115d93A80F9c04d94E4Cb/exposure`);
  const came = page.getByRole('region', { name: 'What came to it' });
  await expect(came.locator('tbody tr')).toHaveCount(1);
  await expect(came).toContainText('stolen value came to it, one hop away');
  await expect(came).toContainText('10,000 ETH');
  await expect(came.getByRole('link', { name: 'bybit-2025' })).toHaveAttribute('href', '#/cases/bybit-2025');
  await expect(page.getByRole('region', { name: 'What went from it' })).toContainText('Nothing went from it');
  await accessible(page);
});

test('behaviour in plain words, with the transactions', async ({ page, early, real }) => {
  await open(page, early, `/addresses/${bitcoin}/12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S/behaviour`);
  const peel = page.getByRole('region', { name: 'Payments peeled off a large amount' });
  await expect(peel).toContainText('32 BTC');
  await expect(peel.getByRole('link', { name: 'f4184fc5…1e9e16' })).toHaveAttribute('href', `#/txs/${bitcoin}/${payment}`);
  await accessible(page);
  await open(page, real, `/addresses/${ethereum}/${thief}/behaviour`);
  await expect(page.getByRole('region', { name: 'Splitting to many receivers' })).toContainText('400,000 ETH');
  await expect(page.getByRole('region', { name: 'Address poisoning' })).toContainText('looks like');
});

test('claims that contradict each other stand side by side', async ({ page, own }) => {
  const address = '0x36ed3C0213565530C35115d93A80F9c04d94E4Cb';
  await open(page, own, '/labels');
  await page
    .getByLabel('File of labels')
    .setInputFiles(
      csv(
        'two-views.csv',
        ['address', 'network', 'label', 'actor', 'category', 'confidence', 'by', 'source', 'from'],
        [
          address,
          'ethereum',
          'A wallet of TraderTraitor',
          'lazarus-group',
          'perpetrator',
          'authority_data',
          'FBI',
          'https://www.ic3.gov/PSA/2025/PSA250226',
          '2025-02-26',
        ],
        [
          address,
          'ethereum',
          'Deposit of somebody',
          'other-exchange',
          'exchange',
          'web_crawl',
          'A crawler',
          'javascript:alert(1)',
          '',
        ],
      ),
    );
  await page.getByRole('button', { name: 'Take in 2 changes' }).click();
  await expect(page.getByRole('heading', { name: 'Taken in', exact: true })).toBeVisible();

  await open(page, own, `/addresses/${ethereum}/${address}`);
  const labels = page.getByRole('region', { name: 'What others say' });
  await expect(labels.locator('tbody tr')).toHaveCount(2);
  await expect(labels.getByRole('row', { name: /A wallet of TraderTraitor/ })).toContainText('from 2025-02-26');
  await expect(labels.getByRole('link', { name: /ic3\.gov/ })).toHaveAttribute('rel', 'noreferrer noopener');
  await expect(labels).toContainText('javascript:alert(1)');
  await expect(labels.getByRole('link', { name: /javascript/ })).toHaveCount(0);
  const conflicts = page.getByRole('region', { name: 'Where they contradict each other' });
  await expect(conflicts).toContainText('They disagree about who is behind the address.');
  await expect(conflicts.getByRole('link', { name: 'lazarus-group' })).toBeVisible();
  await expect(conflicts.getByRole('link', { name: 'other-exchange' })).toBeVisible();
  await accessible(page);
});

test('tabs are reached by keys, and what is shown leads on', async ({ page, real }) => {
  await open(page, real, `/addresses/${ethereum}/${thief}`);
  await expect(page.getByRole('link', { name: 'Transfers 75' })).toBeVisible();
  await page.keyboard.press('4');
  await expect(page).toHaveURL(/\/exposure$/);
  await page.keyboard.press('1');
  await expect(page).toHaveURL(new RegExp(`${thief}$`));
  await expect(page.getByRole('link', { name: 'Screen', exact: true })).toHaveAttribute(
    'href',
    `#/screening?chain=${ethereum}&subject=${thief}`,
  );
  await expect(page.getByRole('link', { name: 'Open in graph' })).toHaveAttribute(
    'href',
    `#/graph?address=${ethereum}%7C${thief}`,
  );
});

test('what is no address, or is not held, says what to do', async ({ page, real }) => {
  await open(page, real, '/addresses/eip155%3A1/0x12');
  await expect(page.getByRole('alert').first()).toContainText('want 0x and 40 hexadecimal digits');
  await open(page, real, '/addresses/eip155%3A1/0x0000000000000000000000000000000000000009');
  await expect(page.getByText('The ledger holds nothing of this address.')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Verdict now' })).toContainText('unknown');
  await accessible(page);
});

test('nothing of one address stands under the name of the next', async ({ page, real }) => {
  await open(page, real, `/addresses/${ethereum}/${thief}`);
  await expect(page.getByText('1,345.768858404671846374 ETH')).toBeVisible();
  await page.evaluate(() => (location.hash = '#/addresses/eip155%3A1/0x0000000000000000000000000000000000000009'));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('0x0000000000000000000000000000000000000009');
  await expect(page.getByText('1,345.768858404671846374 ETH')).toHaveCount(0);
});

test('an address fits a phone', async ({ page, real }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  for (const view of ['', '/transfers', '/owner', '/exposure', '/behaviour']) {
    await open(page, real, `/addresses/${ethereum}/${thief}${view}`);
    await expect(page.locator('main .panel').first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  }
});
