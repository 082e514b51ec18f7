import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { binary } from './build';

/** A demo that runs: the real binary, with the bundled theft or with a laundering that is played. */
interface Demos {
  /** Where the bundled theft is shown, such as http://127.0.0.1:40123. */
  real: string;
  /** Where a played laundering is shown, with bridges and bitcoin wallets. */
  played: string;
}

/** A server that runs. */
export interface Running {
  url: string;
  process: ChildProcess;
}

/** Starts a verb of the binary that serves, on a port of its own, and waits until it can screen. */
export async function start(verb: 'demo' | 'serve', ...flags: string[]): Promise<Running> {
  const child = spawn(binary, [verb, '--listen', '127.0.0.1:0', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  let url = '';
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    url = /listening on (http:\/\/[^,]+)/.exec(line)?.[1] ?? url;
    if (line.includes('ready to screen')) break;
  }
  if (!url) throw new Error(`${verb} does not start: ${said.join('\n')}`);
  child.stderr.resume();
  return { url, process: child };
}

/** Stops what was started. */
export async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await ended;
}

export const test = base.extend<{ quiet: undefined }, Demos>({
  real: [
    async ({}, use) => {
      const demo = await start('demo');
      await use(demo.url);
      await stop(demo.process);
    },
    { scope: 'worker' },
  ],
  played: [
    async ({}, use) => {
      const demo = await start('demo', '--played');
      await use(demo.url);
      await stop(demo.process);
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  // No page may ask anybody but its own server, break the content security policy, or fail unheard.
  quiet: [
    async ({ page }, use) => {
      const heard: string[] = [];
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (/^https?:$/.test(url.protocol) && url.hostname !== '127.0.0.1') heard.push(`asked ${request.url()}`);
      });
      page.on('pageerror', (error) => heard.push(`failed: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) heard.push(message.text());
      });
      await use(undefined);
      expect(heard).toEqual([]);
    },
    { auto: true },
  ],
});

/** Wants nothing that axe calls serious or critical, in light and in dark. */
export async function accessible(page: Page): Promise<void> {
  for (const theme of ['light', 'dark']) {
    await page.evaluate((wish) => (document.documentElement.dataset.theme = wish), theme);
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'])
      .analyze();
    const bad = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
    expect(bad.map((v) => `${theme}: ${v.id}: ${v.nodes.map((n) => n.html).join(' | ')}`)).toEqual([]);
  }
  await page.evaluate(() => delete document.documentElement.dataset.theme);
}

/** Opens a page of the workbench by its hash route. */
export async function open(page: Page, server: string, route: string): Promise<void> {
  await page.goto(`${server}/#${route}`);
  await expect(page.locator('main h1').first()).toBeVisible();
}

export { expect };
