import { expect, test } from 'vitest';
import { build, join } from './net';
import { grow, hide, merge, pin, blank, split, ungrow, arrange, nextMark, mark } from './sheet';
import { fromCase, restOf } from './sources';
import { moved, node } from './sample';
import { keyOf, type GraphNode, type Movement, type Source } from './types';

function source(nodes: GraphNode[], movements: Movement[]): Source {
  return { nodes, movements, gaps: [] };
}

test('the same movement of two answers is one, the fuller one', () => {
  const all = join([
    { source: source([node('a'), node('b')], [moved('a', 'b', '5')]) },
    { source: source([node('b', { entity: 'E', service: true }), node('a')], [moved('a', 'b', '9', { transactions: 2 })]) },
  ]);
  expect(all.movements).toEqual([moved('a', 'b', '9', { transactions: 2 })]);
  expect(all.nodes.map((n) => [n.key, n.entity, n.service])).toEqual([
    ['a', undefined, false],
    ['b', 'E', true],
  ]);
});

test('what a case traced stands beside what the ledger holds', () => {
  const traced = moved('a', 'b', '5', { colour: 'eth', origin: '4' });
  const net = build(join([{ source: source([node('a'), node('b')], [traced, moved('a', 'b', '9')]) }]), blank, false);
  expect(net.edges.get('a\nb')?.movements).toHaveLength(2);
});

test('the rest of a node goes when the node is expanded', () => {
  const a = node(keyOf('c', '0xA'), { address: '0xA' });
  const rest = node(restOf('c 0xA'), { class: 'rest' });
  const first = source([a, rest], [moved(a.key, rest.key, '5')]);
  const all = join([{ source: first }, { source: source([a, node('b')], [moved(a.key, 'b', '5')]), root: a.key }]);
  expect(all.nodes.map((n) => n.key)).toEqual(['c 0xa', 'b']);
  expect(all.movements.map((m) => m.to)).toEqual(['b']);
});

test('collapsed nodes are one, and amounts are added up without loss', () => {
  const huge = '115792089237316195423570985008687907853269984665640564039457584007913129639935';
  const all = join([
    {
      source: source(
        [node('a'), node('b'), node('x'), node('y', { last: 9 })],
        [moved('a', 'x', huge), moved('a', 'y', '1', { first: 2, last: 9 }), moved('x', 'y', '7'), moved('b', 'x', '3')],
      ),
    },
  ]);
  const net = build(all, merge(blank, ['x', 'y'], 'Ring'), false);
  expect([...net.nodes.keys()]).toEqual(['a', 'b', 'merged x']);
  expect(net.nodes.get('merged x')).toMatchObject({ label: 'Ring', addresses: 2, members: ['x', 'y'], last: 9 });
  const [edge] = net.into.get('merged x') ?? [];
  expect(edge?.movements).toEqual([
    moved('a', 'merged x', (BigInt(huge) + 1n).toString(), { transactions: 2, txs: ['ax', 'ay'], first: 2, last: 9 }),
  ]);
  expect(net.edges.size).toBe(2);
});

test('entities are one node each where that is wanted', () => {
  const all = join([
    {
      source: source(
        [node('a'), node('x', { entity: 'E' }), node('y', { entity: 'E' })],
        [moved('a', 'x', '1'), moved('a', 'y', '2')],
      ),
    },
  ]);
  expect([...build(all, blank, true).nodes.keys()]).toEqual(['a', 'entity c E']);
  expect([...build(all, blank, false).nodes.keys()]).toEqual(['a', 'x', 'y']);
});

test('hidden nodes take their edges with them', () => {
  const all = join([{ source: source([node('a'), node('b')], [moved('a', 'b', '1')]) }]);
  const net = build(all, hide(blank, ['b']), false);
  expect([...net.nodes.keys()]).toEqual(['a']);
  expect(net.edges.size).toBe(0);
});

test('what was collapsed is opened into what is collapsed with it, and taken apart whole', () => {
  const once = merge(blank, ['a', 'b'], 'One');
  const twice = merge(once, ['merged a', 'c'], 'Two');
  expect(twice.merged).toEqual([{ name: 'Two', keys: ['a', 'b', 'c'] }]);
  expect(split(twice, 'merged a').merged).toEqual([]);
  expect(merge(blank, ['a'], 'Alone')).toBe(blank);
});

test('a growth is there once, and one that is taken away moves what was arranged', () => {
  const tx = { kind: 'tx', chain: 'c', id: 'i' } as const;
  const way = { kind: 'way', chain: 'c', from: 'a', to: 'b', hops: 6 } as const;
  const grown = arrange(grow(grow(blank, tx), way));
  expect(grow(grown, tx)).toBe(grown);
  expect(grown.arranged).toBe(2);
  expect(ungrow(grown, tx)).toMatchObject({ grown: [way], arranged: 1 });
  expect(arrange(grown)).toBe(grown);
  expect(arrange(pin(grown, 'a', { x: 1.4, y: 2 })).pins).toEqual({});
});

test('marks follow each other and end', () => {
  let sheet = blank;
  const seen: (string | undefined)[] = [];
  for (let i = 0; i < 6; i++) {
    sheet = mark(sheet, 'a', nextMark(sheet, 'a'));
    seen.push(sheet.marks.a);
  }
  expect(seen).toEqual(['red', 'amber', 'green', 'blue', 'violet', undefined]);
});

test('a case and the ledger name one address alike, in capitals or not', () => {
  const answer = fromCase({
    case: 'x',
    method: 'fifo',
    digest: '',
    current: true,
    width: 0,
    height: 0,
    total: 3,
    left_out: { nodes: 1, edges: 0, origin: [] },
    nodes: [
      { ...node('eip155:1 0xAbC', { chain: 'eip155:1', address: '0xAbC' }), class: 'address', hops: 0, costs: [], x: 0, y: 0 },
      { ...node('rest eip155:1 0xAbC', { chain: 'eip155:1' }), class: 'rest', hops: 1, costs: [], x: 240, y: 0 },
    ],
    edges: [],
  });
  expect(answer.nodes.map((n) => n.key)).toEqual(['eip155:1 0xabc', 'rest eip155:1 0xabc']);
  expect(answer.gaps[0]).toContain('1 of 3 nodes are not shown');
});
