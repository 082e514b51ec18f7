// How nodes and edges look: a colour, and beside it always a shape or a word.
import { brief, chainName } from '../lib/chains';
import { kindColour, kindName } from '../lib/kinds';
import type { Mark, Sheet } from './sheet';
import type { GraphEdge, GraphNode } from './types';

export const shapes = ['circle', 'square', 'diamond', 'triangle', 'hexagon', 'ring'] as const;
export type Shape = (typeof shapes)[number];

export function shapeOf(node: GraphNode, begins: boolean): Shape {
  if (node.theft || begins) return 'triangle';
  if (node.class === 'transaction') return 'diamond';
  if (node.class === 'cluster' || node.class === 'merged') return 'hexagon';
  if (node.class === 'rest' || node.class === 'fee' || node.class === 'issue') return 'ring';
  return node.class === 'entity' || node.service || node.entity ? 'square' : 'circle';
}

/** The name of a colour of the sheet of styles. */
export function colourOf(node: GraphNode, mark: Mark | undefined): string {
  if (mark) return markColours[mark];
  if (node.theft) return 'stolen';
  if (node.kind) return kindColour(node.kind);
  if (node.service || node.class === 'entity') return 'service';
  if (node.class === 'transaction') return 'chain';
  return node.class === 'rest' || node.class === 'fee' || node.class === 'issue' ? 'fee' : 'asset';
}

export const markColours: Record<Mark, string> = {
  red: 'stolen',
  amber: 'held',
  green: 'frozen',
  blue: 'service',
  violet: 'in-transit',
};

/** Whether an edge is traced, only claimed, or only what the ledger holds. */
export function edgeColour(edge: GraphEdge): string {
  if (edge.movements.some((m) => m.link)) return 'in-transit';
  return edge.movements.some((m) => m.origin !== undefined) ? 'asset' : 'line-strong';
}

/** What a node is called. */
export function nameOf(node: GraphNode): string {
  if (node.class === 'rest') return `${node.addresses} more`;
  if (node.class === 'merged') return `${node.label} (${node.addresses})`;
  if (node.class === 'entity') return `${node.label || node.entity || ''} (${node.addresses})`;
  if (node.class === 'cluster') return `${node.entity ? `${node.entity},` : 'owner of'} ${brief(node.label)} (${node.addresses})`;
  if (node.class === 'transaction') return `transaction ${brief(node.tx ?? node.label)}`;
  if (node.class === 'fee' || node.class === 'issue') return node.label;
  return node.entity ? `${node.entity}, ${brief(node.label)}` : brief(node.label, 8, 6);
}

/** What is written beside a node: its name, how value ended, what somebody marked or noted. */
export function labelOf(node: GraphNode, sheet: Sheet): string {
  const parts = [nameOf(node)];
  if (node.theft) parts.push('theft');
  else if (node.kind) parts.push(kindName(node.kind).toLowerCase());
  const mark = sheet.marks[node.key];
  if (mark) parts.push(mark);
  const note = sheet.notes[node.key];
  if (note) parts.push(`“${note.length > 40 ? `${note.slice(0, 39)}…` : note}”`);
  return parts.join(' · ');
}

/** What a node is, for those who cannot see it. */
export function spoken(node: GraphNode, sheet: Sheet, out: number, into: number): string {
  return `${labelOf(node, sheet)}, ${node.class}${node.chain ? ` on ${chainName(node.chain)}` : ''}, ${into} in, ${out} out`;
}

/** Whether a node has to do with a text that is searched. */
export function matches(node: GraphNode, sheet: Sheet, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return false;
  return [node.key, node.label, node.entity, node.tx, node.kind, sheet.notes[node.key], sheet.marks[node.key]].some((t) =>
    t?.toLowerCase().includes(wanted),
  );
}
