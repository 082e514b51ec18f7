import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { binary } from './build';
import { start, stop, test as base } from './workbench';

interface Servers {
  /** A server over the first 14,132 blocks of Bitcoin, whose facts are proven. */
  early: string;
  /** A demo that a test may write into: what it takes in is nobody else's. */
  own: string;
}

const blocks = resolve(import.meta.dirname, '../../../testdata/bitcoin/blk_0_to_14131.dat.zst');

export const test = base.extend<object, Servers>({
  early: [
    async ({}, use) => {
      const data = mkdtempSync(join(tmpdir(), 'coldtrail-early-'));
      execFileSync(binary, ['ingest', 'bitcoin', '--data', data, '--from', `blocks:${blocks}`], { stdio: 'ignore' });
      const server = await start('serve', '--open', '--data', data);
      await use(server.url);
      await stop(server.process);
      rmSync(data, { recursive: true });
    },
    { scope: 'worker' },
  ],
  own: [
    async ({}, use) => {
      const demo = await start('demo');
      await use(demo.url);
      await stop(demo.process);
    },
    { scope: 'worker' },
  ],
});

/** Names of things that the fixtures are known to hold. */
export const bitcoin = 'bip122%3A000000000019d6689c085ae165831e93';
export const ethereum = 'eip155%3A1';
/** Where everything that was stolen from Bybit went first. */
export const thief = '0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2';
/** The transaction by which the ether was stolen. */
export const theft = '0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c';
/** The first payment in bitcoin from one person to another. */
export const payment = 'f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16';

/** A file that a page is given. */
export function csv(name: string, ...rows: string[][]) {
  const line = (row: string[]) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',');
  return { name, mimeType: 'text/csv', buffer: Buffer.from(rows.map((row) => `${line(row)}\n`).join('')) };
}

export { accessible, expect, open } from './workbench';
