// A sheet as text: deflated JSON in base64url, for links and files. What is read was perhaps written by a stranger: every
// part is checked and bounded.
import { blank, longestNote, marks, type Growth, type Mark, type Merge, type Sheet } from './sheet';

/** The longest text that is put into a link; a longer one belongs into a file. */
export const longestLink = 6000;
const longestText = 64 << 10;
const longestJSON = 2 << 20;
const mostEntries = 10_000;

/** Says why a text is no sheet. */
export class Unreadable extends Error {}

export async function pack(sheet: Sheet): Promise<string> {
  if (JSON.stringify(sheet) === JSON.stringify(blank)) return '';
  const bytes = new TextEncoder().encode(JSON.stringify(slim(sheet)));
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = '';
  for (const byte of packed) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export async function unpack(text: string): Promise<Sheet> {
  if (text === '') return blank;
  if (text.length > longestText || !/^[\w-]+$/.test(text)) throw new Unreadable('The state in this link is damaged.');
  let json: string;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    json = await inflate(bytes);
  } catch (cause) {
    if (cause instanceof Unreadable) throw cause;
    throw new Unreadable('The state in this link is damaged.');
  }
  return readSheet(json);
}

/** Inflates, and stops where a small text would become a large one. */
async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const decoder = new TextDecoder();
  let json = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return json + decoder.decode();
    json += decoder.decode(value as Uint8Array, { stream: true });
    if (json.length > longestJSON) {
      await reader.cancel();
      throw new Unreadable('The state in this link is too large.');
    }
  }
}

/** Without what is as in a blank sheet. */
function slim(sheet: Sheet): Partial<Sheet> {
  const entries = Object.entries(sheet).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(blank[name as keyof Sheet]),
  );
  return Object.fromEntries(entries) as Partial<Sheet>;
}

/** Reads a sheet out of JSON. */
export function readSheet(json: string): Sheet {
  if (json.length > longestJSON) throw new Unreadable('The state of the graph is too large.');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Unreadable('The state of the graph is not JSON.');
  }
  const from = object(value, 'the state');
  const grown = list(from.grown, 'grown').map(readGrowth);
  return {
    grown,
    arranged: Math.min(grown.length, whole(from.arranged ?? 0, 'arranged')),
    pins: record(from.pins, 'pins', readPin),
    marks: record(from.marks, 'marks', (v) => oneOf<Mark>(v, marks, 'marks')),
    notes: record(from.notes, 'notes', (v) => text(v, 'notes', longestNote)),
    hidden: list(from.hidden, 'hidden').map((v) => text(v, 'hidden')),
    merged: list(from.merged, 'merged').map(readMerge),
  };
}

function readPin(value: unknown): readonly [number, number] {
  const [x, y] = list(value, 'pins');
  if (!Number.isFinite(x) || !Number.isFinite(y))
    throw new Unreadable('In the state of the graph, pins has a place that is not two numbers.');
  return [x as number, y as number];
}

function readMerge(value: unknown): Merge {
  const from = object(value, 'merged');
  return { name: text(from.name, 'merged'), keys: list(from.keys, 'merged').map((key) => text(key, 'merged')) };
}

const fields: Record<Growth['kind'], { needed: string[]; optional: string[]; numbers: string[] }> = {
  near: { needed: ['chain', 'address', 'direction'], optional: ['asset', 'least', 'since', 'until'], numbers: ['limit'] },
  case: { needed: ['root'], optional: ['least', 'since', 'until'], numbers: ['hops'] },
  back: { needed: ['at'], optional: ['colour'], numbers: [] },
  tx: { needed: ['chain', 'id'], optional: [], numbers: [] },
  way: { needed: ['chain', 'from', 'to'], optional: ['since'], numbers: ['hops'] },
};

function readGrowth(value: unknown): Growth {
  const from = object(value, 'grown');
  const kind = oneOf(from.kind, Object.keys(fields) as Growth['kind'][], 'grown');
  const growth: Record<string, unknown> = { kind };
  for (const name of fields[kind].needed) growth[name] = text(from[name], `grown.${name}`);
  for (const name of fields[kind].optional) if (from[name] !== undefined) growth[name] = text(from[name], `grown.${name}`);
  for (const name of fields[kind].numbers) if (from[name] !== undefined) growth[name] = whole(from[name], `grown.${name}`);
  if (kind === 'near') oneOf(growth.direction, ['in', 'out', 'both'], 'grown.direction');
  if (kind === 'case' || kind === 'way') growth.hops ??= kind === 'way' ? 6 : 1;
  return growth as Growth;
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Unreadable(`In the state of the graph, ${where} is not an object.`);
  return value as Record<string, unknown>;
}

function list(value: unknown, where: string): unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > mostEntries)
    throw new Unreadable(`In the state of the graph, ${where} is not a list of at most ${mostEntries}.`);
  return value as unknown[];
}

function record<T>(value: unknown, where: string, read: (value: unknown) => T): Record<string, T> {
  const entries = Object.entries(object(value ?? {}, where));
  if (entries.length > mostEntries) throw new Unreadable(`In the state of the graph, ${where} has too many entries.`);
  return Object.fromEntries(entries.map(([key, v]) => [text(key, where), read(v)]));
}

function text(value: unknown, where: string, longest = 500): string {
  if (typeof value !== 'string' || value.length > longest)
    throw new Unreadable(`In the state of the graph, ${where} is not a text of at most ${longest} characters.`);
  return value;
}

function whole(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new Unreadable(`In the state of the graph, ${where} is not a whole number.`);
  return value;
}

function oneOf<T extends string>(value: unknown, choice: readonly T[], where: string): T {
  if (!choice.includes(value as T)) throw new Unreadable(`In the state of the graph, ${where} has a word that is unknown.`);
  return value as T;
}
