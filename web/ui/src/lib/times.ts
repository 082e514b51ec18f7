/** Unix seconds or RFC 3339 in UTC, to the minute. Investigators compare with blocks: local time would mislead. */
export function moment(at: number | string | undefined): string {
  if (at === undefined || at === '' || at === 0) return '';
  const date = typeof at === 'number' ? new Date(at * 1000) : new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The day alone. */
export function day(at: number | string | undefined): string {
  return moment(at).slice(0, 10);
}

/** A time in seconds for people. */
export function lasting(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
