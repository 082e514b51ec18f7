import { api, type Reply, type Schemas } from '../api/client';
import type { operations } from '../api/schema';
import { Asked } from './asked.svelte';
import { grouped } from './amounts';

export type Options = Omit<operations['previewLabels']['parameters']['query'], 'name' | 'keep_going'>;

/** The largest file that the server takes, in bytes. */
export const largest = 32 * 1024 * 1024;

/** A file of labels on its way in: chosen, compared with what is held, and taken in as it was compared. */
export class LabelFile {
  file = $state.raw<File>();
  name = $state('');
  options = $state<Options>({ format: '' });
  /** Whether rows that are no claims are left out, instead of refusing the file. */
  leave = $state(false);
  /** Why the file cannot be sent at all. */
  unfit = $state('');
  readonly preview = new Asked<Schemas['LabelChanges']>();
  readonly result = new Asked<Schemas['LabelImport']>();

  choose(file: File): void {
    this.file = file;
    this.name = file.name;
    this.leave = false;
    this.unfit =
      file.size > largest
        ? `${file.name} has ${grouped(String(file.size))} bytes; the server takes ${grouped(String(largest))} at most. Use coldtrail labels import, or cut the file.`
        : '';
    this.forget();
    if (!this.unfit) void this.compare();
  }

  /** Asks what the file would change. */
  async compare(): Promise<void> {
    const { file } = this;
    if (!file || this.unfit) return;
    this.forget();
    const query = this.query();
    await this.preview.ask(
      (signal) =>
        api.POST('/v1/labels/preview', { params: { query }, ...sent(file), signal }) as Promise<Reply<Schemas['LabelChanges']>>,
    );
  }

  /** Takes in what was previewed; the server refuses if anything is another since. */
  async take(): Promise<void> {
    const { file } = this;
    const digest = this.preview.value?.digest;
    if (!file || !digest) return;
    const query = { ...this.query(), digest };
    await this.result.ask(
      (signal) =>
        api.POST('/v1/labels/import', { params: { query }, ...sent(file), signal }) as Promise<Reply<Schemas['LabelImport']>>,
    );
    if (this.result.value) this.preview.value = undefined;
  }

  /** Begins anew. */
  clear(): void {
    this.file = undefined;
    this.unfit = '';
    this.forget();
  }

  private forget(): void {
    this.preview.end();
    this.result.end();
    this.preview.value = undefined;
    this.preview.trouble = undefined;
    this.result.value = undefined;
    this.result.trouble = undefined;
  }

  private query() {
    const said = Object.fromEntries(Object.entries(this.options).filter(([, value]) => value)) as Options;
    return { ...said, name: this.name.trim() || 'labels', ...(this.leave ? { keep_going: 'true' as const } : {}) };
  }
}

// The bytes of the file, as they are: what is hashed here and there must be the same.
function sent(file: File) {
  return {
    body: file as unknown as string,
    bodySerializer: (body: unknown) => body as BodyInit,
    headers: { 'Content-Type': 'application/octet-stream' },
  };
}
