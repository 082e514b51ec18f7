import type { Schemas } from '../api/client';

type Anomaly = Schemas['TraceAnomaly'];

export interface AnomalyKind {
  kind: string;
  count: number;
  first: Anomaly;
}

/** What did not add up by kind, the most first, with the first of each to look at. */
export function byKind(list: Anomaly[]): AnomalyKind[] {
  const kinds = new Map<string, AnomalyKind>();
  for (const anomaly of list) {
    const found = kinds.get(anomaly.kind);
    if (found) found.count++;
    else kinds.set(anomaly.kind, { kind: anomaly.kind, count: 1, first: anomaly });
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count);
}
