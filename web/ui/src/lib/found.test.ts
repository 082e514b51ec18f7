import { describe, expect, it } from 'vitest';
import { exactOf, routeOf, type Item } from './found';

const item = (type: Item['type'], id: string, title = id, chain?: string): Item => ({
  type,
  id,
  title,
  detail: '',
  held: true,
  ...(chain ? { chain } : {}),
});
const incident = item('incident', 'bybit-2025', 'Bybit cold wallet');
const matter = item('case', 'bybit-2025', 'Bybit cold wallet theft');

describe('exactOf', () => {
  it('takes what one thing is named', () => {
    expect(exactOf([incident, matter], 'bybit COLD wallet')).toBe(incident);
    expect(exactOf([item('entity', 'lazarus-group', 'Lazarus Group')], ' Lazarus Group ')?.id).toBe('lazarus-group');
  });
  it('takes none where two are named so, or none is', () => {
    expect(exactOf([incident, matter], 'bybit-2025')).toBeUndefined();
    expect(exactOf([incident], 'bybit')).toBeUndefined();
    expect(exactOf([], 'bybit')).toBeUndefined();
  });
  it('takes a transaction without its 0x', () => {
    const tx = item('transaction', '0xab', '0xab', 'eip155:1');
    expect(exactOf([tx, incident], 'AB')).toBe(tx);
  });
  it('takes an address that is written in another way, but no label', () => {
    const address = item('address', 'bc1qx', 'bc1qx', 'bip122:0');
    expect(exactOf([address], 'BC1QX')).toBe(address);
    expect(exactOf([item('label', '1abc', 'exchange', 'bip122:0')], 'exchange')).toBeUndefined();
  });
});

describe('routeOf', () => {
  it('leads to the page of a thing', () => {
    expect(routeOf(item('outpoint', 'ab:1', 'ab:1', 'bip122:0'))).toBe('/txs/bip122%3A0/ab');
    expect(routeOf(item('label', '0xAb', 'x', 'eip155:1'))).toBe('/addresses/eip155%3A1/0xAb');
    expect(routeOf(item('asset', 'eip155:1/slip44:60'))).toBe('/assets/eip155%3A1%2Fslip44%3A60');
  });
  it('leads nowhere from a block, or from a chain that has no ledger', () => {
    expect(routeOf(item('block', '170', '', 'bip122:0'))).toBeUndefined();
    expect(routeOf(item('address', 'r', '', 'ripple'))).toBeUndefined();
  });
});
