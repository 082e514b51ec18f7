// The graph as the workbench holds it, whichever question to the server a part of it came from.
import type { Schemas } from '../api/client';

export type Share = Schemas['FlowShare'];

export type NodeClass = 'address' | 'output' | 'entity' | 'cluster' | 'transaction' | 'rest' | 'fee' | 'issue' | 'merged';

/** A place where value was. */
export interface GraphNode {
  key: string;
  label: string;
  class: NodeClass;
  chain: string;
  address?: string;
  tx?: string;
  entity?: string;
  /** Whether the entity holds value for others. */
  service: boolean;
  /** How value ended here, by the largest part. */
  kind?: string;
  theft: boolean;
  /** How many addresses are in it; of a rest, how many nodes it stands for. */
  addresses: number;
  received: Share[];
  ended: Share[];
  first: number;
  last: number;
  /** Where the server places it. */
  x?: number;
  y?: number;
  /** What was collapsed into it. */
  members?: string[];
}

/** Value of one asset that moved one way between two nodes. */
export interface Movement {
  from: string;
  to: string;
  asset: string;
  amount: string;
  /** The stolen asset that it is a part of, and how much of that: only where a case's trace says so. */
  colour?: string;
  origin?: string;
  transactions: number;
  txs: string[];
  first: number;
  last: number;
  /** Whether the amount is an upper bound, because others paid in too. */
  shared: boolean;
  certainty?: number;
  /** Who says that value went this way where no transaction shows it. */
  link?: string;
}

/** Everything that moved one way between two nodes: one arrow. */
export interface GraphEdge {
  key: string;
  from: string;
  to: string;
  movements: Movement[];
}

/** One answer of the server. */
export interface Source {
  nodes: GraphNode[];
  movements: Movement[];
  /** What the answer leaves out, in words. */
  gaps: string[];
}

/** What is shown. */
export interface Net {
  nodes: Map<string, GraphNode>;
  edges: Map<string, GraphEdge>;
  /** The edges that leave a node, and those that enter it. */
  out: Map<string, GraphEdge[]>;
  into: Map<string, GraphEdge[]>;
}

export interface Point {
  x: number;
  y: number;
}

/** The key of an address: hexadecimal ones are the same in capitals. */
export function keyOf(chain: string, address: string): string {
  return `${chain} ${address.startsWith('0x') ? address.toLowerCase() : address}`;
}
