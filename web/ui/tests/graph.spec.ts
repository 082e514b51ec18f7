import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
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

const chain = 'eip155:1';
const theft = '0xa6e1510dd2876ee05d2e60fa5e6515fb6defd188eb68ddf3df73ff24f119c108';
const firstHop = '0x89Da74b1be1E7bDF5e129075591834005865c61F';
const at = (...parts: string[]) => encodeURIComponent(parts.join('|'));
const side = (page: Page) => page.getByRole('region', { name: 'what is chosen' });
const nodes = (page: Page) => page.getByRole('region', { name: 'nodes' });
const edges = (page: Page) => page.getByRole('region', { name: 'edges' });
const counted = (page: Page, text: string) => expect(page.getByText(new RegExp(`^${text}\\.`))).toBeVisible();

/** The first counterparty that an address paid, as the server says. */
async function paid(page: Page, server: string, address: string): Promise<string> {
  const url = `${server}/v1/addresses/${encodeURIComponent(chain)}/${address}/neighbours?direction=out&limit=1`;
  const got = (await (await page.request.get(url)).json()) as { items: { address: string }[] };
  return got.items[0]?.address ?? '';
}

test('a transaction is a graph, and its arrow says what moved', async ({ page, played }) => {
  await open(page, played, `/graph?tx=${at(chain, theft)}&view=table`);
  await counted(page, '3 nodes, 2 edges');
  await edges(page).getByRole('button', { name: '401,346 ETH' }).click();
  await expect(side(page)).toContainText('401,346.768858404671846374 ETH');
  await expect(side(page).getByRole('link', { name: '0xa6e151…19c108' })).toHaveAttribute('href', /#\/txs\/eip155%3A1\/0xa6e1/);
  await accessible(page);
});

test('ways between two addresses are found, from a link and from two chosen nodes', async ({ page, played }) => {
  const second = await paid(page, played, firstHop);
  await open(page, played, `/graph?way=${at(chain, thief, second)}&view=table`);
  await counted(page, '3 nodes, 2 edges');
  await expect(page.getByText('A way is a lead and no proof')).toBeVisible();

  await open(page, played, `/graph?address=${at(chain, firstHop)}&view=table`);
  await nodes(page).getByTitle(firstHop).click();
  await nodes(page)
    .getByTitle(second)
    .click({ modifiers: ['Shift'] });
  await side(page).getByRole('button', { name: 'Find ways from the first to the second' }).click();
  await expect(page.getByText('A way is a lead and no proof')).toBeVisible();
  await expect(page).toHaveURL(/[?&]s=[\w-]+/);
});

test('the table is walked by keys, and a node is expanded, pinned, marked, noted, collapsed and hidden by them', async ({
  page,
  played,
}) => {
  await open(page, played, `/graph?address=${at(chain, thief)}&view=table`);
  await counted(page, '44 nodes, 43 edges');
  await nodes(page).getByTitle(thief).focus();
  await page.keyboard.press('Enter'); // a button is pressed: that chooses
  await page.keyboard.press('ArrowRight');
  const first = page.locator('button[data-node]:focus');
  await expect(first).toHaveAttribute('aria-pressed', 'true');
  const name = (await first.textContent()) ?? '';
  await page.keyboard.press('ArrowLeft');
  await expect(first).toHaveAttribute('title', thief);
  await page.keyboard.press('ArrowRight');
  await expect(first).toHaveText(name);

  await page.keyboard.press('p');
  await expect(side(page).getByRole('button', { name: 'Pin' })).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('c');
  await expect(side(page).getByLabel('Mark')).toHaveValue('red');
  await page.keyboard.press('n');
  await page.keyboard.type('<img src=x onerror=alert(1)>');
  await first.or(nodes(page).getByText(name)).first().focus();
  await expect(nodes(page)).toContainText('red · “<img src=x onerror=alert(1)>”');

  await page.keyboard.press('Enter');
  await counted(page, '69 nodes, 68 edges');
  await page.keyboard.press('Control+z');
  await counted(page, '44 nodes, 43 edges');
  await page.keyboard.press('Control+Shift+z');
  await counted(page, '69 nodes, 68 edges');
  await page.keyboard.press('Control+z');

  await page.keyboard.press('Shift+ArrowDown');
  await side(page).getByLabel('Name').fill('Both');
  await side(page).getByRole('button', { name: 'Make one of 2' }).click();
  await counted(page, '43 nodes, 42 edges');
  await expect(side(page).getByRole('heading', { level: 2 })).toHaveText('Both (2)');
  await page.reload();
  await counted(page, '43 nodes, 42 edges');
  await nodes(page).getByRole('button', { name: 'Both (2)' }).click();
  await page.keyboard.press('Delete');
  await counted(page, '42 nodes, 41 edges');
  await page.getByRole('button', { name: 'Show 1 hidden' }).click();
  await counted(page, '43 nodes, 42 edges');
});

test('the keys of the graph are in the dialogue', async ({ page, played }) => {
  await open(page, played, `/graph?tx=${at(chain, theft)}`);
  await page.keyboard.press('?');
  for (const what of ['walk along the edges', 'pin the chosen node', 'hide what is chosen', 'take back', 'show everything'])
    await expect(page.getByRole('dialog', { name: 'Keys' })).toContainText(`Graph: ${what}`);
});

test('what a case left out is shown on demand, and the way from the theft', async ({ page, played }) => {
  await open(page, played, '/graph?case=bybit-2025&limit=20&view=table&units=origin');
  await expect(edges(page).getByText('ETH stolen').first()).toBeVisible({ timeout: 45_000 });
  const status = page.getByText(/^\d+ nodes, \d+ edges/);
  const size = async () => Number(/^\d+/.exec((await status.textContent()) ?? '')?.[0]);
  const before = await size();
  await nodes(page)
    .getByRole('button', { name: /^\d+ more$/ })
    .first()
    .click();
  await side(page).getByRole('button', { name: 'Show what is left out here' }).click();
  await expect.poll(size).toBeGreaterThan(before);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(size).toBe(before);

  await page.getByLabel('Find').fill('held');
  await expect(page.getByText(/^\d+ found/)).toBeVisible();
  await nodes(page).locator('button[data-node]').first().click();
  await side(page).getByRole('button', { name: 'Way from the theft' }).click();
  await expect(page.getByRole('button', { name: 'Redo' })).toBeDisabled(); // it is a step
  await expect(page.getByRole('button', { name: 'Undo' })).toBeEnabled();
  await expect(page.getByText('Asking for more …')).toBeHidden();
  await expect(page.getByRole('alert')).toBeHidden();

  await page.getByLabel('Find').fill('');
  await nodes(page).getByTitle(thief).click();
  await side(page).getByText('Filters for what is added').click();
  await side(page).getByLabel("only what the case's trace says is tainted").check();
  const small = await size();
  await side(page).getByRole('button', { name: 'Where it went' }).click();
  await expect.poll(size).toBeGreaterThan(small);
  await expect(page.getByRole('alert')).toBeHidden();
});

test('dollars are those of a day, and what has no price says so', async ({ page, played }) => {
  await open(page, played, `/graph?tx=${at(chain, theft)}&view=table&units=usd&day=2025-03-17`);
  await expect(page.getByText('prices of 2025-03-17')).toBeVisible();
  await expect(edges(page).getByRole('button', { name: 'no price' }).first()).toBeVisible();
});

test('what was done is saved, and goes on in another graph of the same', async ({ page, played }) => {
  await open(page, played, `/graph?tx=${at(chain, theft)}&view=table`);
  await nodes(page).getByTitle(thief).click();
  await page.keyboard.press('c');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save' }).click()]);
  const saved = JSON.parse(await readFile(await file.path(), 'utf8')) as { marks: Record<string, string> };
  expect(saved.marks).toEqual({ [`${chain} ${thief.toLowerCase()}`]: 'red' });

  await page.keyboard.press('Control+z');
  await expect(nodes(page)).not.toContainText('red');
  await page.getByLabel('Load').setInputFiles(await file.path());
  await expect(nodes(page)).toContainText('red');
  await page
    .getByLabel('Load')
    .setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"marks":{"a":"url(x)"}}') });
  await expect(page.getByText('has a word that is unknown')).toBeVisible();
});

test('files for other programs are well-formed', async ({ page, played, browser }) => {
  await open(page, played, `/graph?tx=${at(chain, theft)}`);
  await counted(page, '3 nodes, 2 edges');
  const reader = await (await browser.newContext()).newPage(); // one without the policy that forbids to parse
  for (const [name, element, count] of [
    ['SVG', 'text', 3],
    ['GraphML', 'node', 3],
  ] as const) {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name, exact: true }).click()]);
    const text = await readFile(await file.path(), 'utf8');
    const found = await reader.evaluate(
      ([xml, tag]) => {
        const read = new DOMParser().parseFromString(xml, 'application/xml');
        return [read.getElementsByTagName('parsererror').length, read.getElementsByTagName(tag).length];
      },
      [text, element] as const,
    );
    expect(found, name).toEqual([0, count]);
  }
  await reader.context().close();
});

test('what the server refuses leaves no step, and a damaged link says so', async ({ page, played }) => {
  await open(page, played, `/graph?address=${at(chain, thief)}&view=table`);
  await nodes(page).getByTitle(firstHop).click();
  await side(page).getByText('Filters for what is added').click();
  await side(page).getByLabel('Only this asset (CAIP-19)').fill('nonsense');
  await side(page).getByRole('button', { name: 'Both', exact: true }).click();
  await expect(page.getByText('Nothing was found that is not in the graph already.')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();

  await side(page).getByLabel('At least, in base units').fill('9'.repeat(78)); // more than 256 bits hold
  await side(page).getByRole('button', { name: 'Both', exact: true }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Undo' })).toBeDisabled();
  await expect(page).not.toHaveURL(/[?&]s=/);
  await open(page, played, `/graph?tx=${at(chain, theft)}&s=AAAA`);
  await expect(page.getByRole('alert')).toContainText('The state in this link is damaged.');
  await counted(page, '3 nodes, 2 edges');
});

test('nodes and arrows of the picture are chosen, expanded and moved with the mouse', async ({ page, played }) => {
  await open(page, played, `/graph?tx=${at(chain, theft)}`);
  await counted(page, '3 nodes, 2 edges');
  const frame = await page.getByRole('application').boundingBox();
  if (!frame) throw new Error('no picture');
  // The payer is at the left in the middle, and what it paid goes to the right above: a row of points meets each.
  const middle = frame.y + frame.height / 2;
  const picture = page.locator('.picture .frame');
  const find = async (points: { x: number; y: number }[]) => {
    let found = { x: 0, y: 0 };
    await expect(async () => {
      for (const point of points) {
        await page.mouse.move(point.x, point.y);
        found = point;
        if ((await picture.evaluate((element) => getComputedStyle(element).cursor)) === 'pointer') return;
      }
      throw new Error('nothing can be pressed there');
    }).toPass();
    await page.mouse.click(found.x, found.y);
    return found;
  };
  const payer = await find(Array.from({ length: 20 }, (_, i) => ({ x: frame.x + 50 + i * 5, y: middle })));
  await expect(side(page).getByRole('heading', { level: 2 })).toHaveText('0x1Db92e…2dFCF4');
  await find(Array.from({ length: 60 }, (_, i) => ({ x: frame.x + frame.width / 2, y: middle - i * 4 })));
  await expect(side(page).getByRole('heading', { level: 2 })).toHaveText('What moved');
  await expect(side(page)).toContainText('401,346.768858404671846374 ETH');

  await page.mouse.move(payer.x, payer.y);
  await page.mouse.down();
  await page.mouse.move(payer.x + 40, payer.y + 60, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/[?&]s=/);
  await page.mouse.move(payer.x + 40, payer.y + 60);
  await page.mouse.dblclick(payer.x + 40, payer.y + 60);
  await counted(page, '4 nodes, 3 edges');
  await expect(side(page).getByRole('button', { name: 'Pin' })).toHaveAttribute('aria-pressed', 'true');
});
