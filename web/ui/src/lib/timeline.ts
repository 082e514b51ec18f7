// The time line of a case as columns for a chart.
import type { Schemas } from '../api/client';
import { rough } from './amounts';

type Timeline = Schemas['Timeline'];

export interface LaneColumns {
  lane: string;
  label: string;
  flows: number;
  /** For drawing, in whole units; null where nothing happened. */
  values: (number | null)[];
  /** Exact, in base units, by bucket. */
  origins: Map<number, string>;
}

/** The middle of every bucket, in Unix seconds. */
export function middles(t: Timeline): number[] {
  return Array.from({ length: t.buckets }, (_, i) => t.begin + i * t.step + t.step / 2);
}

/** What happened of a colour in each lane; lanes in which nothing did are left out. */
export function lanes(t: Timeline, colour: string, asset: string): LaneColumns[] {
  return t.lanes.flatMap((lane) => {
    const series = t.series.find((s) => s.lane === lane.lane && s.colour === colour);
    if (!series || series.points.length === 0) return [];
    const values: (number | null)[] = Array.from({ length: t.buckets }, () => null);
    const origins = new Map<number, string>();
    for (const point of series.points) {
      if (point.bucket >= t.buckets) continue;
      values[point.bucket] = rough(point.origin, asset);
      origins.set(point.bucket, point.origin);
    }
    return [{ lane: lane.lane, label: lane.label, flows: lane.flows, values, origins }];
  });
}

/** A length of time as people say it. */
export function stepName(seconds: number): string {
  const units: [number, string][] = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  for (const [size, name] of units) {
    if (seconds >= size && seconds % size === 0) {
      const n = seconds / size;
      return n === 1 ? `one ${name}` : `${n} ${name}s`;
    }
  }
  return `${seconds} seconds`;
}
