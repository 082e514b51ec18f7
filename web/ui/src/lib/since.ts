// What changed between two traces of a case, as far as their headlines tell.
import type { Schemas } from '../api/client';
import { kindName } from './kinds';

type Summary = Schemas['CaseSummary'];

export interface Change {
  colour: string;
  asset: string;
  what: string;
  before: string;
  after: string;
}

/** The ends of value of which there is now more or less, colour by colour. */
export function changesBetween(before: Summary, after: Summary): Change[] {
  return after.colours.flatMap((colour) => {
    const old = before.colours.find((c) => c.colour === colour.colour);
    const was = new Map(old?.kinds.map((k) => [k.kind, k.origin]));
    const is = new Map(colour.kinds.map((k) => [k.kind, k.origin]));
    return [...new Set([...is.keys(), ...was.keys()])]
      .map((kind) => ({
        colour: colour.colour,
        asset: colour.asset,
        what: kindName(kind),
        before: was.get(kind) ?? '0',
        after: is.get(kind) ?? '0',
      }))
      .filter((change) => change.before !== change.after);
  });
}

/** Days that an as-of slider has, from the theft to the newest block: 2025-02-21 and so on. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  const end = Date.parse(`${last.slice(0, 10)}T00:00:00Z`);
  const daysAtMost = 40_000; // a century: a chain whose clock is wrong must not fill the memory
  for (let at = Date.parse(`${first.slice(0, 10)}T00:00:00Z`); at <= end && days.length < daysAtMost; at += 86_400_000)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}
