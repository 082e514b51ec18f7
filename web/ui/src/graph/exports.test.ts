import { expect, test } from 'vitest';
import { graphml } from './graphml';
import { build, join } from './net';
import { Room } from './names';
import { moved, node } from './sample';
import { corners, head, scene } from './scene';
import { blank, mark, note } from './sheet';
import { svg } from './svg';
import { movementText, priceDays, shareText, widths, type Measures } from './units';
import { escaped } from './xml';

const evil = '</text><script>alert("1")</script>&\u0000\ud800';
const asset = 'eip155:1/slip44:60';
const measures: Measures = { units: 'native', prices: { usd: new Map(), days: '' }, assets: new Map([['eth', asset]]) };
const all = {
  nodes: [node('a', { theft: true }), node('b', { entity: evil, label: evil, kind: 'service' })],
  movements: [moved('a', 'b', '1000000000000000000', { asset, colour: 'eth', origin: '500000000000000000', link: evil })],
  gaps: [],
};
const sheet = note(mark(blank, 'b', 'amber'), 'b', evil);
const net = build(join([{ source: all }]), sheet, false);
const places = new Map([
  ['a', { x: 0, y: 0 }],
  ['b', { x: 240, y: -48 }],
]);

test('markup is text, and what XML cannot hold is replaced', () => {
  expect(escaped('<a b="c">\'&\u0001\ud800\n')).toBe('&lt;a b=&quot;c&quot;&gt;&#39;&amp;\ufffd\ufffd&#10;');
});

test('the picture holds every node and arrow, and the names of strangers as text', () => {
  const text = svg(scene(net, places, sheet, measures, new Set()), evil, (name) => `<${name}>`);
  expect(text).not.toContain('<script');
  expect(text.match(/<line /g)).toHaveLength(1);
  expect(text.match(/<polygon /g)).toHaveLength(3); // the head of the arrow, where the theft went, and a service
  expect(text.match(/<circle /g)).toBeNull();
  expect(text).toContain('&lt;script&gt;');
  expect(text).toContain('1 ETH');
  expect(text).toContain('stroke="&lt;in-transit&gt;"');
  expect(balanced(text)).toBe(true);
});

test('the data hold every attribute, and the names of strangers as text', () => {
  const text = graphml(net, places, sheet);
  expect(text).not.toContain('<script');
  expect(text.match(/<node /g)).toHaveLength(2);
  expect(text).toContain('<edge source="a" target="b">');
  expect(text).toContain('<data key="edge_amount">1000000000000000000</data>');
  expect(text).toContain('<data key="edge_origin">500000000000000000</data>');
  expect(text).toContain('<data key="node_mark">amber</data>');
  expect(text).toContain('<data key="node_y">-48</data>');
  const named = new Set([...text.matchAll(/<key id="([^"]+)"/g)].map((m) => m[1]));
  for (const [, key] of text.matchAll(/<data key="([^"]+)"/g)) expect(named).toContain(key);
  expect(balanced(text)).toBe(true);
});

test('a picture that scales has every name, however many there are', () => {
  const keys = Array.from({ length: 2000 }, (_, i) => `n${i}`);
  const many = build({ nodes: keys.map((k) => node(k)), movements: [], gaps: [] }, blank, false);
  const at = new Map(keys.map((k, i) => [k, { x: 0, y: 48 * i }]));
  const text = svg(scene(many, at, blank, measures, new Set()), 'x', () => 'red');
  expect(text.match(/<text /g)).toHaveLength(2000);
});

test('a name that would lie across another one is left out', () => {
  const room = new Room();
  const box = { left: 0, right: 100, top: 0, bottom: 12 };
  expect(room.take(box)).toBe(true);
  expect(room.take({ ...box, left: 99, right: 150 })).toBe(false);
  expect(room.take({ ...box, left: 100, right: 150 })).toBe(true); // beside it
  expect(room.take({ ...box, top: 12, bottom: 24 })).toBe(true); // below it
  expect(room.take({ left: 40, right: 60, top: -50, bottom: 50 })).toBe(false);
  room.clear();
  expect(room.take({ left: 40, right: 60, top: -50, bottom: 50 })).toBe(true);
});

test('an empty graph is a picture, too', () => {
  const nothing = build({ nodes: [], movements: [], gaps: [] }, blank, false);
  expect(svg(scene(nothing, new Map(), blank, measures, new Set()), 'x', () => 'red')).toContain('width="320"');
});

test('heads of arrows point to where the line ends', () => {
  expect(head({ from: { x: 0, y: 0 }, to: { x: 100, y: 0 }, width: 2 })[0]).toEqual({ x: 100, y: 0 });
  expect(corners('circle', { x: 0, y: 0 }, 10)).toBeUndefined();
  expect(corners('diamond', { x: 0, y: 0 }, 10)).toEqual([
    { x: 10, y: 0 },
    { x: 0, y: 10 },
    { x: -10, y: 0 },
    { x: -0, y: -10 },
  ]);
});

test('amounts are read as they moved, as a part of what was stolen, and in dollars', () => {
  const [m] = all.movements;
  if (!m) throw new Error('no movement');
  expect(movementText(m, measures)).toBe('1 ETH');
  expect(movementText({ ...m, shared: true }, measures)).toBe('at most 1 ETH');
  expect(movementText(m, { ...measures, units: 'origin' })).toBe('0.5 ETH stolen');
  expect(movementText(moved('a', 'b', '1'), { ...measures, units: 'origin' })).toBe('not traced');
  expect(movementText(m, { ...measures, units: 'usd' })).toBe('no price');
  const usd = new Map([[asset, '2500.5']]);
  expect(movementText(m, { ...measures, units: 'usd', prices: { usd, days: '' } })).toBe('$2,500.50');
  expect(shareText({ colour: 'btc', origin: '12345' }, measures.assets)).toBe('12,345 units of btc');
  expect(priceDays([{ day: '2025-03-17' }, { day: '2025-03-01', stale: true }])).toBe(
    '2025-03-01 to 2025-03-17, some carried on from days before',
  );
});

test('arrows are as wide as their share of the largest of their kind', () => {
  const source = {
    nodes: ['a', 'b', 'c'].map((k) => node(k)),
    movements: [moved('a', 'b', '400'), moved('b', 'c', '100'), moved('a', 'c', '0')],
    gaps: [],
  };
  expect([...widths(build(join([{ source }]), blank, false)).values()]).toEqual([7, 4, 1]);
});

/** Whether every element that begins ends, in the right order. */
function balanced(xml: string): boolean {
  const open: string[] = [];
  for (const [, end, name, self] of xml.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
    if (self) continue;
    if (!end) open.push(name ?? '');
    else if (open.pop() !== name) return false;
  }
  return open.length === 0;
}
