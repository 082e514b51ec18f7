// Changes of the state of a venue's breaker, as decisions and alerts tell them.
import type { Schemas } from '../api/client';

export type Transition = Schemas['Transition'];
export type State = Schemas['VenueState']['state'];

/** The states, the mildest first, in words for people. */
export const states: { state: State; says: string }[] = [
  { state: 'NORMAL', says: 'everybody passes' },
  { state: 'WATCH', says: 'everybody passes, and it is looked at closely' },
  { state: 'LIMIT', says: 'stolen value is refused, and what is near it is held' },
  { state: 'HALT', says: 'stolen value and what is near it are refused, and newcomers of much value wait' },
];

export function gravest(list: { state: State }[]): State {
  const order = states.map((one) => one.state);
  return list.reduce<State>((worst, { state }) => (order.indexOf(state) > order.indexOf(worst) ? state : worst), 'NORMAL');
}

/** The colour of a state in the sheet. */
export function stateColour(state: string): string {
  return { NORMAL: 'good', WATCH: 'warn', LIMIT: 'warn', HALT: 'bad' }[state] ?? 'soft';
}

const causes: Record<string, string> = {
  score: 'the score was at the threshold for long enough',
  gate: 'the tainted value passed the limit that counts whatever the score is',
  calm: 'it was calm for long enough',
  'probe-begun': 'a trial began whether it is over',
  'probe-passed': 'the trial showed that it is over',
  'probe-failed': 'the trial showed that it is not over',
  override: 'somebody set it by hand',
  'override-ended': 'what somebody had set by hand ended',
  'data-stale': 'the data is too old: from then on states only tighten',
  'data-fresh': 'the data is fresh again',
};

/** Why a state changed, in words. */
export function causeWords(cause: string): string {
  return causes[cause] ?? cause;
}

/** The transition that an alert tells of; nothing where its body is not understood. */
export function transitionOf(alert: Schemas['Alert']): Transition | undefined {
  const body: unknown = alert.body;
  if (alert.kind !== 'breaker-transition' || typeof body !== 'object' || body === null) return undefined;
  const said = body as Record<string, unknown>;
  const text = (name: string) => (typeof said[name] === 'string' ? said[name] : '');
  const number = (name: string) => (typeof said[name] === 'number' ? said[name] : 0);
  if (!text('from') || !text('to') || !text('cause')) return undefined;
  return {
    sequence: number('sequence'),
    moment: number('moment') || alert.created,
    incident: text('incident'),
    route: text('route'),
    from: text('from'),
    to: text('to'),
    cause: text('cause'),
    score: number('score'),
    threshold: number('threshold'),
    by: text('by'),
    reason: text('reason'),
    until: number('until'),
  };
}

/** What brought a state about: the newest transition of its incident and route into what is in force beneath an override. */
export function entered(state: Schemas['VenueState'], transitions: Transition[]): Transition | undefined {
  return transitions.find(
    (one) => one.incident === state.incident && one.route === state.route && one.from !== one.to && one.to === state.state,
  );
}
