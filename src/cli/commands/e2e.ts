import { buildIfStale } from '../app.ts'
import { ensureBrowser } from '../browser.ts'
import type { Command } from '../command.ts'
import { runTool } from '../tools.ts'

export const command: Command = {
  summary: 'Use the built app in a real browser, as a learner would',
  help: `
npm run e2e [-- PLAYWRIGHT-OPTIONS]

Finds a Chromium (PERTURB_CHROMIUM, Playwright's own, Chrome or Chromium on PATH) or installs one,
builds the app when it is stale, and runs tests/e2e with Playwright. Everything after -- goes to
Playwright:

  npm run e2e -- home                  only files whose name has "home"
  npm run e2e -- --project webgpu      only one project: wasm, webgpu or http
  npm run e2e -- --headed --debug      watch it
  npm run e2e -- --list                say what there is

  PERTURB_DEEP=1                       the slow tests of npm run test:deep as well
  PERTURB_CHROMIUM=/path/to/chrome     use this browser
  PERTURB_DIST=/path/to/folder         build into and test this folder instead of dist/`,
  async run(argv) {
    const browser = ensureBrowser(console.log)
    console.log(`browser: ${browser.path} (${browser.from})`)
    await buildIfStale(console.log)
    const { status } = await runTool(
      'playwright',
      ['test', '--config', 'tests/e2e/playwright.config.ts', ...argv],
      {
        env: { PERTURB_CHROMIUM: browser.path },
      },
    )
    return status
  },
}
