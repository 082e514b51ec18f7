// Amounts are whole numbers of base units in decimal strings of up to 78 digits. They are never turned into a floating
// point number to be shown; only drawings do that.

/** How people read an asset's base units. */
export interface Unit {
  symbol: string;
  decimals: number;
}

const natives: Record<string, Unit> = {
  'slip44:0': { symbol: 'BTC', decimals: 8 },
  'slip44:60': { symbol: 'ETH', decimals: 18 },
};

/** What the server says of assets, by CAIP-19. Filled once by the shell. */
const known = new Map<string, Unit>();

export function learn(asset: string, unit: Unit): void {
  known.set(asset, unit);
}

/** The unit of an asset, or nothing where only base units are known. */
export function unitOf(asset: string): Unit | undefined {
  const unit = known.get(asset);
  if (unit) return unit;
  const [chain = '', kind = ''] = asset.split('/');
  const native = natives[kind];
  if (!native) return undefined;
  if (chain === 'eip155:1' || chain === 'bip122:000000000019d6689c085ae165831e93') return native;
  return { ...native, symbol: chain.startsWith('bip122:') ? 'BTC (test chain)' : 'native' };
}

/** Digits in groups of three. */
export function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** All digits of an amount, with its symbol. */
export function exact(amount: string, asset: string): string {
  const unit = unitOf(asset);
  if (!unit) return `${grouped(amount)} base units`;
  const padded = amount.padStart(unit.decimals + 1, '0');
  const whole = padded.slice(0, padded.length - unit.decimals);
  const part = padded.slice(padded.length - unit.decimals).replace(/0+$/, '');
  return `${grouped(whole)}${part ? `.${part}` : ''} ${unit.symbol}`;
}

/** An amount cut (not rounded) for reading: four digits behind the point, more where it is small. */
export function short(amount: string, asset: string): string {
  const unit = unitOf(asset);
  if (!unit) return `${grouped(amount)} units`;
  const padded = amount.padStart(unit.decimals + 1, '0');
  const whole = padded.slice(0, padded.length - unit.decimals);
  const part = padded.slice(padded.length - unit.decimals);
  if (whole.length > 4) return `${grouped(whole)} ${unit.symbol}`;
  const lead = /^0*/.exec(part)?.[0].length ?? 0;
  const shown = part.slice(0, whole === '0' ? Math.max(4, lead + 3) : 4).replace(/0+$/, '');
  return `${grouped(whole)}${shown ? `.${shown}` : ''} ${unit.symbol}`;
}

/** Basis points as a percentage, whole digits only where it is whole. */
export function percent(basisPoints: number): string {
  const whole = Math.trunc(basisPoints / 100);
  const part = String(basisPoints % 100)
    .padStart(2, '0')
    .replace(/0+$/, '');
  return `${whole}${part ? `.${part}` : ''} %`;
}

/** The share of a part in a whole in basis points, rounded down. */
export function share(part: string, whole: string): number {
  const total = BigInt(whole);
  return total === 0n ? 0 : Number((BigInt(part) * 10_000n) / total);
}

/** For drawings only. */
export function rough(amount: string, asset: string): number {
  return Number(amount) / 10 ** (unitOf(asset)?.decimals ?? 0);
}

/** The value in dollars, cents cut: an amount times a price that is a decimal string per whole unit. */
export function dollars(amount: string, asset: string, price: string): string | undefined {
  const unit = unitOf(asset);
  if (!unit || !/^\d+(\.\d+)?$/.test(price)) return undefined;
  const [whole = '0', part = ''] = price.split('.');
  const scaled = BigInt(whole + part) * BigInt(amount) * 100n;
  const cents = scaled / 10n ** BigInt(unit.decimals + part.length);
  const text = cents.toString().padStart(3, '0');
  return `$${grouped(text.slice(0, -2))}.${text.slice(-2)}`;
}
