// The only place that asks the server. Types are generated from server/openapi.yaml.
import createClient, { type Middleware } from 'openapi-fetch';
import { EventReader, type ServerEvent } from '../lib/events';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

/** What the server says where it cannot answer (RFC 9457). */
export interface Trouble {
  title: string;
  detail: string;
  /** What to do, in the server's words. */
  next: string;
  status: number;
}

/** An answer that is a problem. */
export class Problem extends Error {
  readonly trouble: Trouble;
  constructor(trouble: Trouble) {
    super(trouble.detail || trouble.title);
    this.trouble = trouble;
  }
}

// The key lives as long as the tab. It is kept in the session storage so that a reload does not ask for it again.
const kept = 'coldtrail-key';
let csrf = '';

export const credentials = {
  get key(): string {
    return sessionStorage.getItem(kept) ?? '';
  },
  set key(value: string) {
    if (value) sessionStorage.setItem(kept, value);
    else sessionStorage.removeItem(kept);
  },
  /** The token that a session of the browser sends with what it changes. */
  token(value: string) {
    csrf = value;
  },
};

const sign: Middleware = {
  onRequest({ request }) {
    if (credentials.key) request.headers.set('X-API-Key', credentials.key);
    if (csrf && request.method !== 'GET') request.headers.set('X-CSRF-Token', csrf);
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: location.origin });
api.use(sign);

/** A file that the server made, with the caller's credentials; the browser keeps it under its name. */
export async function download(path: string): Promise<void> {
  const response = await fetch(path, { headers: credentials.key ? { 'X-API-Key': credentials.key } : {} });
  if (!response.ok) throw new Problem(await troubleOf(response));
  const name = /filename="?([^";]+)"?/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'download';
  save(await response.blob(), name);
}

/** Reads a stream of events until it ends or is given up. An EventSource can send no key, a fetch can. */
export async function stream(path: string, signal: AbortSignal, take: (event: ServerEvent) => void): Promise<void> {
  const response = await fetch(path, {
    headers: { Accept: 'text/event-stream', ...(credentials.key ? { 'X-API-Key': credentials.key } : {}) },
    signal,
    cache: 'no-store',
  });
  if (!response.ok || !response.body) throw new Problem(await troubleOf(response));
  const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const reader = new EventReader();
  for (;;) {
    const { done, value } = await pieces.read();
    if (done) return;
    for (const event of reader.take(value)) take(event);
  }
}

/** Hands bytes to the browser as a file. */
export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function troubleOf(response: Response): Promise<Trouble> {
  return readTrouble(await response.json().catch(() => undefined), response.status);
}

/** Reads a problem document; what is none becomes one. */
export function readTrouble(body: unknown, status: number): Trouble {
  const said = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof said[name] === 'string' ? said[name] : '');
  return {
    title: text('title') || `The server answered with status ${status}.`,
    detail: text('detail'),
    next: text('next'),
    status,
  };
}

/** What openapi-fetch gives. */
export interface Reply<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer, or a Problem that is thrown. */
export async function answered<T>(reply: Promise<Reply<T>>): Promise<T> {
  let got: Reply<T>;
  try {
    got = await reply;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new Problem({
      title: 'The server cannot be reached.',
      detail: '',
      next: 'See whether it still runs, then ask again.',
      status: 0,
    });
  }
  if (got.error !== undefined || !got.response.ok) throw new Problem(readTrouble(got.error, got.response.status));
  return got.data as T;
}
