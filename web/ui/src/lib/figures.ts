import { grouped } from './amounts';

/** Whole units in decimal digits, grouped. */
export function quantity(text: string): string {
  const [whole = '', part = ''] = text.split('.');
  return part ? `${grouped(whole)}.${part}` : grouped(whole);
}

/** Whole dollars as a source says them, or the range that it gives. */
export function usd(from: number | undefined, to?: number): string {
  if (from === undefined) return '';
  const words = `$${grouped(String(from))}`;
  return to === undefined || to === from ? words : `${words} to $${grouped(String(to))}`;
}
