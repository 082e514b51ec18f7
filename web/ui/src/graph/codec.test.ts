import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { pack, readSheet, unpack } from './codec';
import { blank, type Sheet } from './sheet';

const full: Sheet = {
  grown: [
    { kind: 'near', chain: 'eip155:1', address: '0xabc', direction: 'out', least: '5', since: '2025-02-21T00:00:00Z', limit: 25 },
    { kind: 'case', root: '0xdef', hops: 2 },
    { kind: 'back', at: '0xdef', colour: 'eth' },
    { kind: 'tx', chain: 'eip155:1', id: '0x01' },
    { kind: 'way', chain: 'eip155:1', from: '0xabc', to: '0xdef', hops: 6 },
  ],
  arranged: 2,
  pins: { 'eip155:1 0xabc': [240, -48] },
  marks: { 'eip155:1 0xabc': 'amber' },
  notes: { 'eip155:1 0xabc': '<b>“Müller” & 雪 \u202e' },
  hidden: ['eip155:1 0xdef'],
  merged: [{ name: 'Together', keys: ['a', 'b'] }],
};

test('a sheet is what it was after the way through a link', async () => {
  const text = await pack(full);
  expect(text).toMatch(/^[\w-]+$/);
  expect(await unpack(text)).toEqual(full);
});

test('a blank sheet takes no room', async () => {
  expect(await pack(blank)).toBe('');
  expect(await unpack('')).toBe(blank);
});

test('fifty pins with addresses fit into a link', async () => {
  const pins = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`eip155:1 0x${String(i * 7919).padStart(40, '0')}`, [i * 240, i * 48] as const]),
  );
  expect((await pack({ ...blank, pins })).length).toBeLessThan(2000);
});

test.each([
  ['no base64', 'a b'],
  ['no deflate', 'AAAA'],
  ['too long', 'A'.repeat(70_000)],
  ['no object', packed('[]')],
  ['no JSON', packed('{')],
  ['an unknown growth', packed('{"grown":[{"kind":"evil"}]}')],
  ['a direction that is none', packed('{"grown":[{"kind":"near","chain":"c","address":"a","direction":"up"}]}')],
  ['a growth without its address', packed('{"grown":[{"kind":"near","chain":"c","direction":"in"}]}')],
  ['a pin that is no place', packed('{"pins":{"a":[1,"x"]}}')],
  ['a mark that is none', packed('{"marks":{"a":"url(evil)"}}')],
  ['a note that is too long', packed(JSON.stringify({ notes: { a: 'x'.repeat(2001) } }))],
  ['a list that is too long', packed(JSON.stringify({ hidden: Array.from({ length: 10_001 }, () => 'a') }))],
])('%s is refused', async (_, text) => {
  await expect(unpack(text)).rejects.toThrow(/state/);
});

test('a small text that becomes a large one is refused', async () => {
  await expect(unpack(packed(`{"notes":{"a":"${'x'.repeat(8 << 20)}"}}`))).rejects.toThrow('too large');
});

test('the prototype of objects is out of reach', () => {
  const sheet = readSheet('{"notes":{"__proto__":"x"},"pins":{"__proto__":[1,2]}}');
  expect(Object.getPrototypeOf(sheet.notes)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});

test('more cannot have been arranged than was grown', () => {
  expect(readSheet('{"arranged":9,"grown":[{"kind":"tx","chain":"c","id":"i"}]}').arranged).toBe(1);
});

function packed(json: string): string {
  return deflateRawSync(json).toString('base64url');
}
