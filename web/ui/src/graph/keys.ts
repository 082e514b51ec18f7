// The keys of the graph. Arrows and Enter belong to the picture and the tables alone, or nobody could press a button or
// scroll any more; they are listed here so that the dialogue of keys shows them.
import type { Shortcut } from '../lib/keys.svelte';
import type { Hand } from './hand.svelte';

export function graphKeys(hand: Hand, fit: () => void): Shortcut[] {
  const elsewhere = () => undefined;
  return [
    {
      press: '← → ↑ ↓',
      does: 'Graph: walk along the edges, and among those beside; with shift, choose all on the way',
      run: elsewhere,
    },
    { press: 'enter', does: 'Graph: add what the chosen node had to do with', run: elsewhere },
    { press: 'p', does: 'Graph: pin the chosen node, or let it go', run: () => hand.togglePin() },
    { press: 'c', does: 'Graph: give the chosen node the next mark', run: () => hand.nextMark() },
    { press: 'n', does: 'Graph: write a note at the chosen node', run: () => document.getElementById('graph-note')?.focus() },
    { press: 'Delete', does: 'Graph: hide what is chosen', run: () => hand.hide() },
    { press: 'f', does: 'Graph: show everything', run: fit },
    { press: 'escape', does: 'Graph: choose nothing', run: elsewhere },
    { press: 'ctrl z', does: 'Graph: take back', run: elsewhere },
    { press: 'ctrl y', does: 'Graph: do again', run: elsewhere },
  ];
}
