import type { Schemas } from '../api/client';
import { causeWords, transitionOf } from './transitions';

const names: Record<string, string> = {
  'verdict-changed': 'Verdict changed',
  'watch-hit': 'Watched address moved',
  'breaker-transition': 'Venue changed state',
  'case-change': 'Case changed',
  'data-stale': 'Data is old',
  withdrawn: 'Withdrawn',
};

export function alertName(kind: string): string {
  return names[kind] ?? kind;
}

/** What a body says of one of its sides: a word, or an outcome and a level. */
function side(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const { outcome, level } = value as Record<string, unknown>;
  return [outcome, level].filter((word) => typeof word === 'string' && word !== '').join(', ');
}

/** What an alert says in a few words, as far as its body is understood. */
export function alertWords(alert: Schemas['Alert']): string {
  const body: unknown = alert.body;
  if (typeof body !== 'object' || body === null) return '';
  const changed = transitionOf(alert);
  if (changed) {
    const where = [changed.incident || 'the whole venue', changed.route].filter(Boolean).join(', ');
    const states = changed.from === changed.to ? `stays ${changed.to}` : `from ${changed.from} to ${changed.to}`;
    return `${where}: ${states}, because ${causeWords(changed.cause)}${changed.reason ? `: ${changed.reason}` : ''}`;
  }
  const { from, to, why, reason } = body as Record<string, unknown>;
  const change = side(to) ? `${side(from) ? `from ${side(from)} ` : ''}to ${side(to)}` : '';
  const cause = typeof why === 'string' ? why : typeof reason === 'string' ? reason : '';
  return [change, cause].filter(Boolean).join(': ');
}
