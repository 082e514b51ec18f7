// Answers of the server as parts of a graph.
import type { Schemas } from '../api/client';
import { brief, chainName } from '../lib/chains';
import { keyOf, type GraphNode, type Movement, type Source } from './types';

/** The graph of a case. */
export function fromCase(graph: Schemas['FlowGraph']): Source {
  const keys = new Map(graph.nodes.map((n) => [n.key, caseKey(n)]));
  const gaps: string[] = [];
  if (graph.left_out.nodes > 0)
    gaps.push(`${graph.left_out.nodes} of ${graph.total} nodes are not shown: raise the limit, or expand a node called “more”.`);
  if (!graph.current) gaps.push('The chains have gone on since this trace was made.');
  if (graph.note) gaps.push(graph.note);
  return {
    nodes: graph.nodes.map((n) => ({ ...n, key: keys.get(n.key) ?? n.key, service: n.kind === 'service' })),
    movements: graph.edges.map((e) => ({
      ...e,
      from: keys.get(e.from) ?? e.from,
      to: keys.get(e.to) ?? e.to,
      shared: false,
      certainty: e.certainty_bp,
    })),
    gaps,
  };
}

function caseKey(node: Schemas['FlowNode']): string {
  if (node.class === 'address' && node.address) return keyOf(node.chain, node.address);
  if (node.class !== 'rest') return node.key;
  return restOf(node.key.replace(/^rest /, ''));
}

/** The key of the rest of a node. */
export function restOf(key: string): string {
  const [chain = '', address] = key.split(' ');
  return `rest ${address?.startsWith('0x') ? keyOf(chain, address) : key}`;
}

/** Who an address had to do with. */
export function fromNeighbours(chain: string, address: string, page: Schemas['NeighbourPage']): Source {
  const own = keyOf(chain, address);
  const nodes = new Map<string, GraphNode>([[own, place(chain, address)]]);
  const movements = page.items.map((n): Movement => {
    const other = keyOf(chain, n.address);
    if (!nodes.has(other)) nodes.set(other, place(chain, n.address, n.entity, n.service));
    const [from, to] = n.direction === 'sent' ? [own, other] : [other, own];
    return { ...n, from, to, transactions: n.transfers };
  });
  const gaps: string[] = [];
  if (page.total > page.items.length)
    gaps.push(
      `${page.items.length} of ${page.total} counterparties of ${brief(address)} are shown, those with the most transfers.`,
    );
  if (!page.complete) gaps.push(`Not all transactions of ${brief(address)} were looked at: ${page.looked} were.`);
  return { nodes: [...nodes.values()], movements, gaps };
}

/** A transaction. */
export function fromTransaction(graph: Schemas['TransactionGraph']): Source {
  const keys = new Map(graph.nodes.map((n) => [n.key, transactionKey(graph, n)]));
  return {
    nodes: graph.nodes.map((n) => ({
      ...place(graph.chain, n.address ?? '', n.entity, n.service),
      ...n,
      key: keys.get(n.key) ?? n.key,
      ...(n.class === 'transaction' ? { tx: graph.tx } : {}),
    })),
    movements: graph.edges.map((e) => ({
      from: keys.get(e.from) ?? e.from,
      to: keys.get(e.to) ?? e.to,
      asset: e.asset,
      amount: e.amount,
      transactions: 1,
      txs: [graph.tx],
      first: graph.time,
      last: graph.time,
      shared: false,
    })),
    gaps: graph.left_out > 0 ? [`${graph.left_out} sides of the transaction are not shown.`] : [],
  };
}

function transactionKey(graph: Schemas['TransactionGraph'], node: Schemas['TransactionNode']): string {
  if (node.address) return keyOf(graph.chain, node.address);
  if (node.class === 'output') return `${graph.chain} ${node.label}`;
  if (node.class === 'transaction') return `tx ${graph.chain} ${graph.tx}`;
  return `${node.class} ${graph.chain} ${graph.tx}`;
}

/** Ways from one address to another. */
export function fromWays(chain: string, from: string, to: string, ways: Schemas['WayList']): Source {
  const nodes = new Map<string, GraphNode>();
  for (const address of [from, ...ways.items.flatMap((w) => w.steps.flatMap((s) => [s.from, s.to])), to])
    nodes.set(keyOf(chain, address), nodes.get(keyOf(chain, address)) ?? place(chain, address));
  const movements = ways.items.flatMap((w) =>
    w.steps.map((s) => ({
      from: keyOf(chain, s.from),
      to: keyOf(chain, s.to),
      asset: s.asset,
      amount: s.amount,
      transactions: 1,
      txs: [s.tx],
      first: s.time,
      last: s.time,
      shared: s.shared,
    })),
  );
  const gaps: string[] = [];
  if (ways.items.length === 0)
    gaps.push(
      ways.complete
        ? `There is no way from ${brief(from)} to ${brief(to)} on ${chainName(chain)} within the steps asked for.`
        : `No way from ${brief(from)} to ${brief(to)} was found; that does not say that there is none.`,
    );
  else gaps.push('A way is a lead and no proof: whether one transfer pays for the next is not said.');
  if (!ways.complete) gaps.push(`The search for ways ended early${ways.why ? `: ${ways.why}` : ''}.`);
  return { nodes: [...nodes.values()], movements, gaps };
}

function place(chain: string, address: string, entity?: string, service = false): GraphNode {
  return {
    key: keyOf(chain, address),
    label: address,
    class: 'address',
    chain,
    ...(address ? { address } : {}),
    ...(entity ? { entity } : {}),
    service,
    theft: false,
    addresses: 1,
    received: [],
    ended: [],
    first: 0,
    last: 0,
  };
}
