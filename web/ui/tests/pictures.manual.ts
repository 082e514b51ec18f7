import { resolve } from 'node:path';
import { open, test } from './workbench';

// Makes the pictures of the guide, in docs/guide/pictures.
const folder = resolve(import.meta.dirname, '../../../docs/guide/pictures');

const pictures: { name: string; demo: 'real' | 'played'; route: string; wait: string }[] = [
  { name: 'overview', demo: 'real', route: '/', wait: 'text=North Korea' },
  { name: 'where', demo: 'real', route: '/cases/bybit-2025', wait: 'main td >> visible=true' },
  { name: 'flow', demo: 'played', route: '/cases/bybit-2025/flow', wait: 'main svg .band, main svg path' },
  { name: 'methods', demo: 'played', route: '/cases/bybit-2025/methods', wait: 'main table' },
  { name: 'graph', demo: 'played', route: '/graph?case=bybit-2025&limit=300', wait: 'main canvas' },
  { name: 'screening', demo: 'real', route: '/screening', wait: 'h1' },
];

test.use({ colorScheme: 'light', viewport: { width: 1280, height: 860 } });

for (const picture of pictures) {
  test(picture.name, async ({ page, real, played }) => {
    await open(page, picture.demo === 'real' ? real : played, picture.route);
    await page.locator(picture.wait).first().waitFor();
    await page.waitForTimeout(2500); // the overview keeps a stream open, so that the network is never idle
    await page.screenshot({ path: `${folder}/${picture.name}.png` });
  });
}
