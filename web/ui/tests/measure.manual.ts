import { open, test } from './workbench';

// Prints figures of this machine; nothing here can fail for being slow.

test('first contentful paint', async ({ browser, real }) => {
  const painted: number[] = [];
  for (let i = 0; i < 7; i++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } }); // an empty cache each time
    const page = await context.newPage();
    await page.goto(`${real}/`);
    await page.locator('main h1').first().waitFor();
    painted.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN));
    await context.close();
  }
  painted.sort((a, b) => a - b);
  console.log(
    `first contentful paint: median ${Math.round(painted[3] ?? NaN)} ms, all ${painted.map((t) => Math.round(t)).join(' ')}`,
  );
});

test('a graph of a case', async ({ page, played }) => {
  for (const limit of [500, 2000, 10_000]) {
    await open(page, played, `/graph?case=bybit-2025&limit=${limit}`);
    await page.reload();
    const mark = await page.waitForFunction(
      () => performance.getEntriesByName('graph-drawn').at(-1)?.toJSON() as { duration: number; detail: unknown } | undefined,
      undefined,
      { timeout: 60_000 },
    );
    console.log(`graph of at most ${limit} nodes:`, JSON.stringify(await mark.jsonValue()));
  }
});
