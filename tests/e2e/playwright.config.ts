import { fileURLToPath } from 'node:url'
import { defineConfig } from '@playwright/test'
import { findBrowser } from '../../src/cli/browser.ts'
import type { Options } from './fixtures.ts'

const browser = findBrowser()
/** Tests marked @deep belong to `npm run test:deep`. */
const deep = process.env.PERTURB_DEEP ? [] : [/@deep/]
/** Of each run its own, since Playwright empties it first; workers inherit the name. */
process.env.PERTURB_TEST_RESULTS ??= fileURLToPath(
  new URL(`../../test-results/${process.pid}/`, import.meta.url),
)

const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-domain-reliability',
  '--no-first-run',
]
/** Chromium's own sandbox needs rights that root in a container does not have. */
const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
const args = [...quiet, ...asRoot]

export default defineConfig<Options>({
  testDir: '.',
  outputDir: process.env.PERTURB_TEST_RESULTS,
  // A page computes in one worker: two of them fill the two cores that the tests may count on.
  workers: 2,
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: process.env.PERTURB_E2E_JSON
    ? [['list'], ['json', { outputFile: process.env.PERTURB_E2E_JSON }]]
    : [['list']],
  use: {
    launchOptions: { executablePath: browser?.path, args },
    viewport: { width: 1366, height: 900 },
    locale: 'en-GB',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'wasm', grepInvert: [/@webgpu|@http/, ...deep], use: { backend: 'wasm' } },
    {
      name: 'webgpu',
      grep: /@webgpu/,
      grepInvert: deep,
      timeout: 300_000,
      use: {
        backend: 'webgpu',
        launchOptions: {
          executablePath: browser?.path,
          args: [...args, '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
        },
      },
    },
    {
      name: 'http',
      grep: /@http/,
      grepInvert: deep,
      use: {
        backend: 'wasm',
        hostName: 'lab.test',
        launchOptions: {
          executablePath: browser?.path,
          args: [...args, '--host-resolver-rules=MAP lab.test 127.0.0.1'],
        },
      },
    },
  ],
})
