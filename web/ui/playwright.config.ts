import { defineConfig } from '@playwright/test';

// The browser is Debian's Chromium: no test downloads one.
export default defineConfig({
  testDir: 'tests',
  // Measurements and pictures are made on demand (npm run measure, npm run pictures): tests are not timed.
  testMatch: process.env.MANUAL ? `**/${process.env.MANUAL}.manual.ts` : '**/*.spec.ts',
  globalSetup: './tests/build.ts',
  fullyParallel: false,
  workers: 1,
  timeout: 150_000, // of a machine with two cores and other things to do
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox', // CI runs as root
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--use-angle=swiftshader', // what draws where there is no graphics card
        '--enable-unsafe-swiftshader',
      ],
    },
  },
});
