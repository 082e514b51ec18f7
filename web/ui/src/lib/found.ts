import type { Schemas } from '../api/client';
import { hasOutputs, route } from './chains';

export type Item = Schemas['FoundItem'];

/** What a thing is called. */
export const typeNames: Record<Item['type'], string> = {
  address: 'Address',
  transaction: 'Transaction',
  outpoint: 'Output',
  block: 'Block',
  entity: 'Entity',
  incident: 'Theft on record',
  case: 'Case',
  asset: 'Asset',
  label: 'Label',
};

/** Where a thing is shown, or nothing where no page is about it: a block, and what is on a chain without a ledger form here. */
export function routeOf(item: Item): string | undefined {
  const chain = item.chain ?? '';
  const onChain = hasOutputs(chain) || chain.startsWith('eip155:');
  switch (item.type) {
    case 'address':
    case 'label':
      return onChain ? route.address(chain, item.id) : undefined;
    case 'transaction':
      return onChain ? route.transaction(chain, item.id) : undefined;
    case 'outpoint':
      return onChain ? route.transaction(chain, item.id.split(':')[0] ?? item.id) : undefined;
    case 'entity':
      return route.entity(item.id);
    case 'incident':
      return route.incident(item.id);
    case 'case':
      return route.case(item.id);
    case 'asset':
      return route.asset(item.id);
    case 'block':
      return undefined;
  }
}

/** The one thing that a text names exactly, if it names one: that is where Enter leads without a list between. */
export function exactOf(items: Item[], text: string): Item | undefined {
  const wanted = plain(text);
  const exact = items.filter((item) => namesAll(item).includes(wanted));
  if (exact.length === 1) return exact[0];
  // An address or a transaction is offered only where the whole text is one, however it is written.
  const [only] = items;
  const whole = only && (only.type === 'address' || only.type === 'transaction' || only.type === 'outpoint');
  return items.length === 1 && whole ? only : undefined;
}

function namesAll(item: Item): string[] {
  if (item.type === 'label') return []; // many addresses may be said to be the same
  return [item.id, item.title].map(plain);
}

function plain(text: string): string {
  return text.trim().toLowerCase().replace(/^0x/, '');
}
