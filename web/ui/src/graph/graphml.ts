// A graph as GraphML 1.0 (graphml.graphdrawing.org), with everything that is known of nodes and edges.
import type { Sheet } from './sheet';
import type { Net, Point } from './types';
import { escaped } from './xml';

const nodeKeys = [
  'label',
  'class',
  'chain',
  'address',
  'tx',
  'entity',
  'kind',
  'theft',
  'addresses',
  'first',
  'last',
  'mark',
  'note',
  'x',
  'y',
];
const edgeKeys = [
  'asset',
  'amount',
  'colour',
  'origin',
  'transactions',
  'txs',
  'first',
  'last',
  'shared',
  'certainty_bp',
  'link',
];

/** The document; each movement is one edge. Amounts are texts: they are longer than numbers of other programs. */
export function graphml(net: Net, places: ReadonlyMap<string, Point>, sheet: Sheet): string {
  const numbers = new Set(['addresses', 'first', 'last', 'transactions', 'certainty_bp']);
  const kind = (name: string) => (numbers.has(name) ? 'long' : name === 'x' || name === 'y' ? 'double' : 'string');
  const keys = (list: string[], of: string) =>
    list.map((name) => `<key id="${of}_${name}" for="${of}" attr.name="${name}" attr.type="${kind(name)}"/>`);
  const nodes = [...net.nodes.values()].map((node) => {
    const at = places.get(node.key);
    const values: Record<string, unknown> = { ...node, mark: sheet.marks[node.key], note: sheet.notes[node.key], ...at };
    return `<node id="${escaped(node.key)}">${data(nodeKeys, 'node', values)}</node>`;
  });
  const edges = [...net.edges.values()].flatMap((edge) =>
    edge.movements.map((movement) => {
      const values: Record<string, unknown> = {
        ...movement,
        txs: movement.txs.join(' '),
        certainty_bp: movement.certainty,
      };
      return `<edge source="${escaped(edge.from)}" target="${escaped(edge.to)}">${data(edgeKeys, 'edge', values)}</edge>`;
    }),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
${[...keys(nodeKeys, 'node'), ...keys(edgeKeys, 'edge')].join('\n')}
<graph edgedefault="directed">
${nodes.join('\n')}
${edges.join('\n')}
</graph>
</graphml>
`;
}

function data(names: string[], of: string, values: Record<string, unknown>): string {
  return names
    .filter((name) => values[name] !== undefined && values[name] !== '')
    .map((name) => `<data key="${of}_${name}">${escaped(String(values[name]))}</data>`)
    .join('');
}
