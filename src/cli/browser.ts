import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

/** Where a Chromium for the tests was found. */
export interface FoundBrowser {
  /** Absolute path of the program. */
  path: string
  /** In words, for the first line of output. */
  from: string
}

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge',
]
const macApps = ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
)

/** Without installing anything: PERTURB_CHROMIUM, Playwright's own, Chrome or Chromium on PATH. */
export function findBrowser(environment: NodeJS.ProcessEnv = process.env): FoundBrowser | undefined {
  const named = environment.PERTURB_CHROMIUM
  if (named) {
    if (!isProgram(named)) {
      throw new Error(
        `PERTURB_CHROMIUM must name a program; got "${named}", which is none; unset it or correct the path`,
      )
    }
    return { path: named, from: 'PERTURB_CHROMIUM' }
  }
  const own = playwrightChromium()
  if (own) return { path: own, from: "Playwright's own browser" }
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name)
      if (folder && isProgram(path)) return { path, from: 'PATH' }
    }
  }
  const app = macApps.find(isProgram)
  return app ? { path: app, from: 'the Applications folder' } : undefined
}

/** Finds a browser, or installs one as far as this machine allows. Throws with the exact words to type. */
export function ensureBrowser(say: (line: string) => void): FoundBrowser {
  const found = findBrowser()
  if (found) return found
  say('no Chromium found; asking Playwright to install one')
  if (run('npx', ['playwright', 'install', '--with-deps', 'chromium'])) {
    const own = findBrowser()
    if (own) return own
  }
  if (isDebian() && process.getuid?.() === 0) {
    say('Playwright could not; installing Debian’s chromium with apt-get')
    if (
      run('apt-get', ['update']) &&
      run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'])
    ) {
      const installed = findBrowser()
      if (installed) return installed
    }
  }
  throw new Error(
    [
      'the end-to-end tests need Chromium or Chrome, and none was found or could be installed.',
      'Do one of these, then run the command again:',
      '  Debian, Ubuntu:   sudo apt-get update && sudo apt-get install -y chromium',
      '  Fedora:           sudo dnf install -y chromium',
      '  macOS:            brew install --cask chromium',
      '  anywhere:         npx playwright install --with-deps chromium',
      '  already have one: PERTURB_CHROMIUM=/path/to/chrome npm run e2e',
    ].join('\n'),
  )
}

function playwrightChromium(): string | undefined {
  const { chromium } = createRequire(import.meta.url)('@playwright/test') as {
    chromium: { executablePath(): string }
  }
  try {
    const path = chromium.executablePath()
    return isProgram(path) ? path : undefined
  } catch {
    // No build of Playwright's browser exists for this system.
    return undefined
  }
}

function run(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'inherit', shell: process.platform === 'win32' }).status === 0
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isDebian(): boolean {
  return existsSync('/etc/os-release') && /\b(debian|ubuntu)\b/i.test(readFileSync('/etc/os-release', 'utf8'))
}
