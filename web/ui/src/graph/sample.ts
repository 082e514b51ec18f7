// Small graphs for tests.
import type { GraphNode, Movement } from './types';

export function node(key: string, more: Partial<GraphNode> = {}): GraphNode {
  return {
    key,
    label: key,
    class: 'address',
    chain: 'c',
    address: key,
    service: false,
    theft: false,
    addresses: 1,
    received: [],
    ended: [],
    first: 0,
    last: 0,
    ...more,
  };
}
export function moved(from: string, to: string, amount: string, more: Partial<Movement> = {}): Movement {
  return {
    from,
    to,
    asset: 'c/slip44:0',
    amount,
    transactions: 1,
    txs: [`${from}${to}`],
    first: 5,
    last: 5,
    shared: false,
    ...more,
  };
}
