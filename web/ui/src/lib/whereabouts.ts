// Where the money of a case is, in one sentence.
import type { Schemas } from '../api/client';
import { percent, share, short } from './amounts';

type Colour = Schemas['ColourSummary'];

const places = (n: number) => (n === 1 ? '1 place' : `${n.toLocaleString('en')} places`);

/** How value ended, as the end of "98 % …". */
const phrases: Record<string, (n: number) => string> = {
  held: (n) => `is held at ${places(n)}`,
  service: (n) => `is with services (${places(n)})`,
  'in-transit': () => 'is between chains',
  frozen: () => 'is frozen',
  recovered: () => 'was recovered',
  mixer: () => 'went into mixers',
  dark: () => 'cannot be followed further',
  fee: () => 'was paid in fees',
  burned: () => 'was burned',
  truncated: () => 'lies behind a limit of the trace',
};

/** The share in words; what is there but rounds to nothing is not said to be nothing. */
export function portion(part: string, whole: string): string {
  const points = share(part, whole);
  return points === 0 && BigInt(part) > 0n ? 'less than 0.01 %' : percent(points);
}

/** Says of the largest ends of what was stolen what share of it each is; at most so many, the rest in one. */
export function whereabouts(colour: Colour, most = 4): string {
  const stolen = short(colour.stolen, colour.asset);
  const ends = colour.kinds.filter((k) => BigInt(k.origin) > 0n);
  if (colour.traceable_bp === undefined || ends.length === 0)
    return `${stolen} were stolen. This method does not say where what part of it is.`;
  const said = ends.slice(0, most).map((k) => {
    const phrase = phrases[k.kind];
    return `${portion(k.origin, colour.stolen)} ${phrase ? phrase(k.places) : `ended as ${k.kind}`}`;
  });
  if (ends.length > most) {
    const rest = ends.slice(most).reduce((sum, k) => sum + BigInt(k.origin), 0n);
    said.push(`${portion(rest.toString(), colour.stolen)} ended otherwise`);
  }
  const last = said.pop() ?? '';
  return `Of ${stolen} stolen, ${said.length ? `${said.join(', ')} and ${last}` : last}.`;
}

/**
 * The stolen asset that is at the most places, of several the first: the one of which there is most to look at. Amounts of
 * different assets cannot be set against each other without a price.
 */
export function widest(colours: readonly Colour[]): Colour | undefined {
  const at = (colour: Colour) => colour.kinds.reduce((sum, kind) => sum + kind.places, 0);
  return colours.reduce<Colour | undefined>((best, colour) => (best && at(best) >= at(colour) ? best : colour), undefined);
}
