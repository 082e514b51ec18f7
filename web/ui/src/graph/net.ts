// What is shown: all answers together, collapsed and hidden as the sheet says.
import { restOf } from './sources';
import { mergedKey, type Sheet } from './sheet';
import type { GraphEdge, GraphNode, Movement, Net, Share, Source } from './types';

/** An answer and the node that it expands within a case, if it does. */
export interface Part {
  source: Source;
  root?: string;
}

/** All answers as one, every place and every movement once. */
export function join(parts: readonly Part[]): Source {
  const nodes = new Map<string, GraphNode>();
  const movements = new Map<string, Movement>();
  for (const { source, root } of parts) {
    if (root !== undefined) nodes.delete(restOf(root)); // its own answer says what is left
    for (const node of source.nodes) nodes.set(node.key, complete(nodes.get(node.key), node));
    for (const movement of source.movements) {
      const key = [movement.from, movement.to, movement.asset, movement.colour, movement.link].join('\n');
      const before = movements.get(key);
      if (!before || fuller(movement, before)) movements.set(key, movement);
    }
  }
  return {
    nodes: [...nodes.values()],
    movements: [...movements.values()].filter((m) => nodes.has(m.from) && nodes.has(m.to)),
    gaps: [...new Set(parts.flatMap((p) => p.source.gaps))],
  };
}

/** A node with what another answer knows of it. */
function complete(before: GraphNode | undefined, node: GraphNode): GraphNode {
  if (!before) return node;
  return {
    ...node,
    ...before,
    ...((before.entity ?? node.entity) ? { entity: before.entity ?? node.entity } : {}),
    ...((before.kind ?? node.kind) ? { kind: before.kind ?? node.kind } : {}),
    service: before.service || node.service,
    theft: before.theft || node.theft,
    received: before.received.length ? before.received : node.received,
    ended: before.ended.length ? before.ended : node.ended,
    first: before.first || node.first,
    last: Math.max(before.last, node.last),
  } as GraphNode;
}

// The same movement asked for with other filters: the one that knows of more transactions counts.
function fuller(one: Movement, other: Movement): boolean {
  if (one.transactions !== other.transactions) return one.transactions > other.transactions;
  return BigInt(one.amount) > BigInt(other.amount);
}

/** The graph of a joined answer. Entities are one node each where that is wanted. */
export function build(all: Source, sheet: Sheet, byEntity: boolean): Net {
  const into = collapse(all.nodes, sheet, byEntity);
  const hidden = new Set(sheet.hidden);
  const nodes = new Map<string, GraphNode>();
  for (const node of all.nodes) {
    const group = into.get(node.key);
    if (!group) {
      if (!hidden.has(node.key)) nodes.set(node.key, node);
    } else if (!hidden.has(group.key)) nodes.set(group.key, group);
  }
  const edges = new Map<string, GraphEdge>();
  const sums = new Map<string, Movement>();
  for (const movement of all.movements) {
    const from = into.get(movement.from)?.key ?? movement.from;
    const to = into.get(movement.to)?.key ?? movement.to;
    if (from === to || !nodes.has(from) || !nodes.has(to)) continue;
    const key = `${from}\n${to}`;
    const edge = edges.get(key) ?? { key, from, to, movements: [] };
    edges.set(key, edge);
    const kind = [key, movement.asset, movement.colour, movement.link].join('\n');
    const sum = sums.get(kind);
    if (sum) add(sum, movement);
    else {
      const own = { ...movement, from, to, txs: [...movement.txs] };
      sums.set(kind, own);
      edge.movements.push(own);
    }
  }
  return { nodes, edges, out: index(nodes, edges, 'from'), into: index(nodes, edges, 'to') };
}

function add(sum: Movement, movement: Movement): void {
  sum.amount = (BigInt(sum.amount) + BigInt(movement.amount)).toString();
  if (movement.origin !== undefined) sum.origin = (BigInt(sum.origin ?? '0') + BigInt(movement.origin)).toString();
  sum.transactions += movement.transactions;
  sum.txs = [...new Set([...sum.txs, ...movement.txs])].slice(0, 10);
  sum.first = Math.min(sum.first, movement.first);
  sum.last = Math.max(sum.last, movement.last);
  sum.shared ||= movement.shared;
  if (movement.certainty !== undefined) sum.certainty = Math.min(sum.certainty ?? 10_000, movement.certainty);
}

/** The node that each collapsed one is in. */
function collapse(nodes: readonly GraphNode[], sheet: Sheet, byEntity: boolean): Map<string, GraphNode> {
  const byKey = new Map(nodes.map((n) => [n.key, n]));
  const into = new Map<string, GraphNode>();
  for (const merge of sheet.merged) {
    const inside = merge.keys.flatMap((key) => byKey.get(key) ?? []);
    if (inside.length < 2) continue;
    const one = together(mergedKey(merge), merge.name, 'merged', inside);
    for (const node of inside) into.set(node.key, one);
  }
  if (!byEntity) return into;
  const entities = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    if (!node.entity || node.class === 'transaction' || into.has(node.key)) continue;
    const key = `entity ${node.chain} ${node.entity}`;
    entities.set(key, [...(entities.get(key) ?? []), node]);
  }
  for (const [key, inside] of entities) {
    if (inside.length < 2) continue;
    const one = together(key, inside[0]?.entity ?? '', 'entity', inside);
    for (const node of inside) into.set(node.key, one);
  }
  return into;
}

function together(key: string, label: string, kind: 'merged' | 'entity', inside: GraphNode[]): GraphNode {
  const entities = new Set(inside.map((n) => n.entity));
  const [entity] = entities;
  const chains = new Set(inside.map((n) => n.chain));
  const ended = inside.map((n) => n.kind).filter((k) => k !== undefined);
  const first = inside.map((n) => n.first).filter((t) => t > 0);
  return {
    key,
    label,
    class: kind,
    chain: chains.size === 1 ? (inside[0]?.chain ?? '') : '',
    ...(entities.size === 1 && entity ? { entity } : {}),
    ...(ended[0] !== undefined && ended.every((k) => k === ended[0]) ? { kind: ended[0] } : {}),
    service: inside.every((n) => n.service),
    theft: inside.some((n) => n.theft),
    addresses: inside.reduce((sum, n) => sum + n.addresses, 0),
    received: shares(inside.flatMap((n) => n.received)),
    ended: shares(inside.flatMap((n) => n.ended)),
    first: first.length ? Math.min(...first) : 0,
    last: Math.max(...inside.map((n) => n.last)),
    members: inside.map((n) => n.key),
  };
}

function shares(list: Share[]): Share[] {
  const sums = new Map<string, bigint>();
  for (const { colour, origin } of list) sums.set(colour, (sums.get(colour) ?? 0n) + BigInt(origin));
  return [...sums].map(([colour, origin]) => ({ colour, origin: origin.toString() }));
}

function index(nodes: Net['nodes'], edges: Net['edges'], end: 'from' | 'to'): Map<string, GraphEdge[]> {
  const lists = new Map<string, GraphEdge[]>();
  for (const key of nodes.keys()) lists.set(key, []);
  for (const edge of edges.values()) lists.get(edge[end])?.push(edge);
  return lists;
}
