import { expect, type Page } from '@playwright/test';

/** What strangers may write where people read it. */
export const hostile = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror="document.title=\'owned\'">',
  '<svg/onload=alert(1)>',
  '<a href="javascript:alert(1)" id="owned">click</a>',
  '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>',
  '</td></table></main><h1 id="owned">gone</h1>',
  '{{constructor.constructor("alert(1)")()}} ${alert(1)} {@html "<b id=owned>x</b>"}',
  'data:text/html,<script>alert(1)</script>',
  '=HYPERLINK("http://evil.example")',
];

/** Nothing of a hostile text may have become part of the page, or have run. */
export async function inert(page: Page): Promise<void> {
  await expect(page.locator('#owned, main img, main script, main iframe, main svg[onload]')).toHaveCount(0);
  await expect(page.locator('a[href^="javascript:"], a[href^="data:"]')).toHaveCount(0);
  expect(await page.title()).not.toBe('owned');
  expect(await page.evaluate(() => document.querySelectorAll('main').length)).toBe(1);
}

/** The page itself must not scroll sideways; what is wider scrolls in its frame. */
export async function fits(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
}
