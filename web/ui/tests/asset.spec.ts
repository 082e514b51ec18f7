import { accessible, expect, open, test } from './known';

const steth = '/assets/eip155%3A1%2Ferc20%3A0xae7ab96520de3a18e5e111b5eaab095312d7fe84';

test('the assets of the register, and those that one is after', async ({ page, real }) => {
  await open(page, real, '/assets');
  const rows = page.getByRole('table').locator('tbody tr');
  await expect(rows).toHaveCount(13);
  await accessible(page);
  await page.getByLabel('Only those that contain').fill('stak');
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/\?q=stak$/);
  await rows.getByRole('link', { name: 'stETH' }).click();
  await expect(page).toHaveURL(`${real}/#${steth}`);
});

test('the background of an asset: thefts, forms, sources', async ({ page, real }) => {
  await open(page, real, '/assets/eip155%3A1%2Fslip44%3A60');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('ETH Ether');
  await expect(page.getByText('nobody can freeze it', { exact: true })).toBeVisible();
  const thefts = page.getByRole('region', { name: 'Thefts in which it was taken' });
  await expect(thefts.locator('tbody tr').first()).toContainText('401,346.768858404671846374');
  await expect(page.getByRole('region', { name: 'Other forms of it' }).locator('tbody tr')).toHaveCount(4);
  const eip = page.getByRole('link', { name: /EIP-1559/ });
  await expect(eip).toHaveAttribute('href', 'https://eips.ethereum.org/EIPS/eip-1559');
  await expect(eip).toHaveAttribute('rel', 'noreferrer noopener');
  await accessible(page);
  await thefts.getByRole('button', { name: 'source 4' }).first().click();
  await expect(page.locator('#source-bybit-ledger')).toBeFocused();
  await thefts.getByRole('link', { name: 'Ronin bridge' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ronin bridge');
});

test('who can freeze an asset is said', async ({ page, real }) => {
  await open(page, real, '/assets/eip155%3A1%2Ferc20%3A0xdac17f958d2ee523a2206206994597c13d831ec7');
  await expect(page.getByText('can be frozen', { exact: true })).toBeVisible();
  await expect(page.getByRole('main')).toContainText('by its issuer');
  await expect(page.getByRole('main')).toContainText('Tether');
});

test('an asset that nobody listed is no asset that is known', async ({ page, real }) => {
  await open(page, real, '/assets/eip155%3A1%2Ferc20%3A0x0000000000000000000000000000000000000001');
  await expect(page.getByText('The register has no row of it.')).toBeVisible();
  await expect(page.getByText('nobody has written down who can freeze it')).toBeVisible();
  await accessible(page);
});

test('amounts of tokens are read as people count them', async ({ page, real }) => {
  await open(page, real, '/addresses/eip155%3A1/0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2/transfers');
  await expect(page.getByText('15,000 cmETH').first()).toBeVisible();
  await expect(page.getByText('90,375 stETH')).toBeVisible();
});

test('a theft on record: figures, who is held responsible, the case', async ({ page, real }) => {
  await open(page, real, '/incidents/bybit-2025');
  const losses = page.getByRole('region', { name: 'What was taken' });
  await expect(losses.locator('tbody tr')).toHaveCount(6);
  await expect(losses.locator('tbody tr').nth(0)).toContainText('401,346.768858404671846374');
  await expect(losses).toContainText('$1,500,000,000');
  const who = page.getByRole('region', { name: 'Who is held responsible' });
  await expect(who.getByRole('row', { name: /Lazarus Group/ })).toContainText('FBI');
  await expect(who).toContainText('belongs to dprk');
  await expect(page.getByRole('link', { name: 'Open the case bybit-2025' })).toHaveAttribute('href', '#/cases/bybit-2025');
  await accessible(page);
  await open(page, real, '/incidents/ronin-2022');
  await expect(page.getByText('No case of this server follows it')).toBeVisible();
});

test('an entity: names, the line up to the state, thefts, claims', async ({ page, real }) => {
  await open(page, real, '/entities/lazarus-group');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Lazarus Group');
  const line = page.getByRole('navigation', { name: 'whom it belongs to' }).getByRole('listitem');
  await expect(line).toHaveText(['Lazarus Group', 'reconnaissance-general-bureau', 'dprk']);
  await expect(page.getByRole('main')).toContainText('TraderTraitor');
  await expect(page.getByRole('region', { name: 'Thefts that it is held responsible for' }).locator('tbody tr')).toHaveCount(9);
  await expect(page.getByRole('region', { name: 'What is said of it' }).locator('tbody tr')).toHaveCount(2);
  await accessible(page);
  await line.getByRole('link', { name: 'dprk' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText("Democratic People's Republic of Korea");
  await open(page, real, '/entities/nobody');
  await expect(page.getByText('Nobody is known by this name.')).toBeVisible();
});
