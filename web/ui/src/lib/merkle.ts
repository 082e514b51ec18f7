// The arithmetic of a merkle branch, so that a reader need not believe the server: Bitcoin's double SHA-256 over two hashes,
// the one further left first. Explorers print hashes with their bytes turned around.

/** One step up the tree. */
export interface Step {
  left: string;
  right: string;
  parent: string;
}

/** Whether this browser can hash. Pages that came over plain HTTP from another machine cannot. */
export function canHash(): boolean {
  return typeof crypto !== 'undefined' && crypto.subtle !== undefined;
}

/** Climbs from a transaction, the index-th of its block, to the root. */
export async function climb(leaf: string, index: number, branch: string[]): Promise<Step[]> {
  const steps: Step[] = [];
  let at = leaf;
  let place = index;
  for (const sibling of branch) {
    const [left, right] = place % 2 === 0 ? [at, sibling] : [sibling, at];
    at = await parent(left, right);
    steps.push({ left, right, parent: at });
    place = Math.floor(place / 2);
  }
  return steps;
}

async function parent(left: string, right: string): Promise<string> {
  const both = new Uint8Array(64);
  both.set(bytes(left), 0);
  both.set(bytes(right), 32);
  const once = await crypto.subtle.digest('SHA-256', both);
  const twice = new Uint8Array(await crypto.subtle.digest('SHA-256', once));
  return Array.from(twice.reverse(), (b) => b.toString(16).padStart(2, '0')).join('');
}

function bytes(hash: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/i.test(hash)) throw new Error(`no hash: ${hash}`);
  return Uint8Array.from(hash.match(/../g) ?? [], (pair) => parseInt(pair, 16)).reverse();
}
