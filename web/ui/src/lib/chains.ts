const names: Record<string, string> = {
  'bip122:000000000019d6689c085ae165831e93': 'Bitcoin',
  'bip122:0f9188f13cb7b2c71f2a335e3a4fc328': 'Bitcoin regtest',
  'eip155:1': 'Ethereum',
  'eip155:10': 'OP Mainnet',
  'eip155:56': 'BNB Chain',
  'eip155:137': 'Polygon',
  'eip155:8453': 'Base',
  'eip155:42161': 'Arbitrum One',
};

/** The name of a chain for people; its identifier where it has none. */
export function chainName(chain: string): string {
  return names[chain] ?? chain;
}

/** Whether value lies in outputs (bitcoin and its like) and not in accounts. */
export function hasOutputs(chain: string): boolean {
  return chain.startsWith('bip122:');
}

/** A long identifier with its middle left out. */
export function brief(text: string, head = 8, tail = 6): string {
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

/** Where things are shown. All are hash routes: what an investigator looks at never reaches a server's log. */
export const route = {
  address: (chain: string, address: string) => `/addresses/${encodeURIComponent(chain)}/${encodeURIComponent(address)}`,
  transaction: (chain: string, id: string) => `/txs/${encodeURIComponent(chain)}/${encodeURIComponent(id)}`,
  case: (id: string, view = '') => `/cases/${encodeURIComponent(id)}${view ? `/${view}` : ''}`,
  entity: (id: string) => `/entities/${encodeURIComponent(id)}`,
  incident: (id: string) => `/incidents/${encodeURIComponent(id)}`,
  asset: (asset: string) => `/assets/${encodeURIComponent(asset)}`,
  venue: (id: string) => `/venues/${encodeURIComponent(id)}`,
  search: (text: string) => `/search/${encodeURIComponent(text)}`,
  graph: (state: Record<string, string>) => `/graph?${new URLSearchParams(state).toString()}`,
};

/** The place of a disposition: outputs are `txid:vout`, accounts are addresses. */
export function routeOfPlace(chain: string, at: string): string {
  if (!hasOutputs(chain)) return route.address(chain, at);
  return route.transaction(chain, at.split(':')[0] ?? at);
}
