// What somebody did with a graph: everything that is undone, linked and saved. Functions give another sheet.

/** A question whose answer was added to the graph. */
export type Growth =
  | {
      kind: 'near';
      chain: string;
      address: string;
      direction: 'in' | 'out' | 'both';
      asset?: string;
      least?: string;
      since?: string;
      until?: string;
      limit?: number;
    }
  | { kind: 'case'; root: string; hops: number; least?: string; since?: string; until?: string }
  | { kind: 'back'; at: string; colour?: string }
  | { kind: 'tx'; chain: string; id: string }
  | { kind: 'way'; chain: string; from: string; to: string; hops: number; since?: string };

/** Nodes that somebody made one. */
export interface Merge {
  name: string;
  keys: string[];
}

export interface Sheet {
  readonly grown: readonly Growth[];
  /** How many of the growths were there when the graph was arranged last. */
  readonly arranged: number;
  readonly pins: Readonly<Record<string, readonly [number, number]>>;
  readonly marks: Readonly<Record<string, Mark>>;
  readonly notes: Readonly<Record<string, string>>;
  readonly hidden: readonly string[];
  readonly merged: readonly Merge[];
}

/** The marks that nodes can be given; each is written beside the node, too. */
export const marks = ['red', 'amber', 'green', 'blue', 'violet'] as const;
export type Mark = (typeof marks)[number];

export const longestNote = 2000;

export const blank: Sheet = { grown: [], arranged: 0, pins: {}, marks: {}, notes: {}, hidden: [], merged: [] };

/** Adds a growth, unless it is there already. */
export function grow(sheet: Sheet, growth: Growth): Sheet {
  const text = JSON.stringify(growth);
  if (sheet.grown.some((g) => JSON.stringify(g) === text)) return sheet;
  return { ...sheet, grown: [...sheet.grown, growth] };
}

/** Takes a growth away. */
export function ungrow(sheet: Sheet, growth: Growth): Sheet {
  const at = sheet.grown.findIndex((g) => JSON.stringify(g) === JSON.stringify(growth));
  if (at < 0) return sheet;
  const grown = sheet.grown.filter((_, i) => i !== at);
  return { ...sheet, grown, arranged: at < sheet.arranged ? sheet.arranged - 1 : sheet.arranged };
}

/** Has everything that is there placed anew; pins are let go. */
export function arrange(sheet: Sheet): Sheet {
  if (sheet.arranged === sheet.grown.length && Object.keys(sheet.pins).length === 0) return sheet;
  return { ...sheet, arranged: sheet.grown.length, pins: {} };
}

/** Pins a node where it is, or lets it go without a place. */
export function pin(sheet: Sheet, key: string, at?: { x: number; y: number }): Sheet {
  return { ...sheet, pins: set(sheet.pins, key, at && ([Math.round(at.x), Math.round(at.y)] as const)) };
}

export function mark(sheet: Sheet, key: string, value: Mark | undefined): Sheet {
  return { ...sheet, marks: set(sheet.marks, key, value) };
}

/** The mark after the one a node has; none after the last. */
export function nextMark(sheet: Sheet, key: string): Mark | undefined {
  const now = sheet.marks[key];
  return now === undefined ? marks[0] : marks[marks.indexOf(now) + 1];
}

export function note(sheet: Sheet, key: string, text: string): Sheet {
  return { ...sheet, notes: set(sheet.notes, key, text.trim().slice(0, longestNote) || undefined) };
}

export function hide(sheet: Sheet, keys: readonly string[]): Sheet {
  return { ...sheet, hidden: [...new Set([...sheet.hidden, ...keys])] };
}

export function showAll(sheet: Sheet): Sheet {
  return sheet.hidden.length === 0 ? sheet : { ...sheet, hidden: [] };
}

/** Makes nodes one. What was collapsed before is opened into the new one. */
export function merge(sheet: Sheet, keys: readonly string[], name: string): Sheet {
  const inside = new Set(keys.flatMap((key) => sheet.merged.find((m) => mergedKey(m) === key)?.keys ?? [key]));
  if (inside.size < 2) return sheet;
  const others = sheet.merged.filter((m) => !m.keys.some((key) => inside.has(key)));
  return { ...sheet, merged: [...others, { name: name.trim().slice(0, 200) || 'Together', keys: [...inside] }] };
}

export function split(sheet: Sheet, key: string): Sheet {
  return { ...sheet, merged: sheet.merged.filter((m) => mergedKey(m) !== key) };
}

export function mergedKey(merge: Merge): string {
  return `merged ${merge.keys[0] ?? ''}`;
}

function set<T>(record: Readonly<Record<string, T>>, key: string, value: T | undefined): Record<string, T> {
  const { [key]: _, ...rest } = record;
  void _;
  return value === undefined ? rest : { ...rest, [key]: value };
}
