/** How value ended, in the words that reports use, in the order in which they are drawn. */
export const kinds: { kind: string; name: string }[] = [
  { kind: 'held', name: 'Held' },
  { kind: 'service', name: 'At a service' },
  { kind: 'in-transit', name: 'Between chains' },
  { kind: 'frozen', name: 'Frozen' },
  { kind: 'recovered', name: 'Recovered' },
  { kind: 'mixer', name: 'In a mixer' },
  { kind: 'dark', name: 'Cannot be followed' },
  { kind: 'fee', name: 'Fees' },
  { kind: 'burned', name: 'Burned' },
  { kind: 'rounding', name: 'Rounding' },
  { kind: 'truncated', name: 'Cut off by a limit' },
];

export function kindName(kind: string): string {
  return kinds.find((k) => k.kind === kind)?.name ?? kind;
}

const coloured = new Set([
  'stolen',
  'held',
  'service',
  'in-transit',
  'frozen',
  'recovered',
  'mixer',
  'dark',
  'asset',
  'protocol',
  'chain',
]);

/** The name of the colour of a kind or class in the sheet. */
export function kindColour(kind: string): string {
  return coloured.has(kind) ? kind : 'fee';
}
