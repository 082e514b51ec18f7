import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The server that `npm run dev` hands questions to.
const server = process.env.COLDTRAIL_SERVER ?? 'http://127.0.0.1:8801';
const asked = ['/v1', '/auth', '/healthz', '/readyz', '/openapi.json', '/docs'];

export default defineConfig({
  plugins: [svelte()],
  base: '/',
  build: {
    outDir: '../dist',
    emptyOutDir: true, // files of the build before go
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the content security policy lets nothing in that is not a file of this server
    reportCompressedSize: false,
  },
  server: { proxy: Object.fromEntries(asked.map((path) => [path, { target: server, changeOrigin: true }])) },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
