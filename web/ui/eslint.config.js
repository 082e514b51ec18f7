import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import config from './svelte.config.js';

// Labels, memos and notes are written by strangers: no page may hand text to the browser as HTML or as a link of
// another scheme.
const hostile = {
  'no-restricted-properties': [
    'error',
    { property: 'innerHTML', message: 'text of strangers must stay text' },
    { property: 'outerHTML', message: 'text of strangers must stay text' },
    { property: 'insertAdjacentHTML', message: 'text of strangers must stay text' },
  ],
  'no-eval': 'error',
  'no-implied-eval': 'error',
};

export default tseslint.config(
  { ignores: ['node_modules', 'src/api/schema.d.ts', 'test-results', 'playwright-report'] },
  ...tseslint.configs.strict,
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.svelte'], svelteConfig: config } },
  },
  {
    rules: {
      ...hostile,
      'svelte/no-at-html-tags': 'error',
      'svelte/require-each-key': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-globals': ['error', { name: 'fetch', message: 'ask through src/api/client.ts' }],
    },
  },
  // The graph is made of maps that are made anew and never changed.
  { files: ['src/graph/**', 'src/pages/Graph.svelte'], rules: { 'svelte/prefer-svelte-reactivity': 'off' } },
  { files: ['tests/**', 'src/api/client.ts'], rules: { 'no-restricted-globals': 'off' } },
);
