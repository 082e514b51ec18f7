import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

/** The binary that all tests run: the real one, with the pages that are built in. */
export const binary = resolve(import.meta.dirname, '../test-results/coldtrail');

/** Builds it once. */
export default function build(): void {
  execFileSync('go', ['build', '-o', binary, './cmd/coldtrail'], {
    cwd: resolve(import.meta.dirname, '../../..'),
    stdio: 'inherit',
  });
}
