import type { RouteDefinition } from 'svelte-spa-router';
import { wrap } from 'svelte-spa-router/wrap';

// Every page; each is loaded when it is first shown, so that the first one is there at once.
export const routes: RouteDefinition = {
  '/': wrap({ asyncComponent: () => import('./pages/Overview.svelte') }),
  '/search/:text?': wrap({ asyncComponent: () => import('./pages/Search.svelte') }),
  '/cases': wrap({ asyncComponent: () => import('./pages/Cases.svelte') }),
  '/cases/:id/:view?': wrap({ asyncComponent: () => import('./pages/Case.svelte') }),
  '/graph': wrap({ asyncComponent: () => import('./pages/Graph.svelte') }),
  '/addresses/:chain/:address/:view?': wrap({ asyncComponent: () => import('./pages/Address.svelte') }),
  '/txs/:chain/:id': wrap({ asyncComponent: () => import('./pages/Transaction.svelte') }),
  '/entities/:id': wrap({ asyncComponent: () => import('./pages/Entity.svelte') }),
  '/incidents/:id': wrap({ asyncComponent: () => import('./pages/Incident.svelte') }),
  '/assets/:asset?': wrap({ asyncComponent: () => import('./pages/Asset.svelte') }),
  '/screening': wrap({ asyncComponent: () => import('./pages/Screening.svelte') }),
  '/alerts': wrap({ asyncComponent: () => import('./pages/Alerts.svelte') }),
  '/venues/:id?': wrap({ asyncComponent: () => import('./pages/Venues.svelte') }),
  '/labels': wrap({ asyncComponent: () => import('./pages/Labels.svelte') }),
  '/jobs': wrap({ asyncComponent: () => import('./pages/Jobs.svelte') }),
  '*': wrap({ asyncComponent: () => import('./pages/Nowhere.svelte') }),
};
