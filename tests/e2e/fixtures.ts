import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import AxeBuilder from '@axe-core/playwright'
import { test as base, expect, type Page } from '@playwright/test'
import { dist } from '../../src/cli/app.ts'
import { serve, type SeenRequest, type ServeOptions, type Site } from '../../src/cli/serve.ts'

export { expect }

export interface Options {
  /** Forced by the learner's own setting before the page loads. */
  backend: 'wasm' | 'webgpu' | 'webgl' | 'cpu' | 'auto'
  /** Name in the address bar; anything but localhost is no secure context over plain http. */
  hostName: string
  /** What else Settings stores, e.g. { editor: 'plain' }. */
  settings: Record<string, unknown>
}

/** The built app on a free port, with the server's own log. */
export interface ServedApp {
  /** The app's address for a route: `app.at()` or `app.at('#/lab/evasion-fgsm')`. */
  at(route?: string): string
  readonly origin: string
  /** Every request this test's pages made to the app, as the server saw them. */
  readonly requests: SeenRequest[]
  /** Answers instead of dist/ while this test runs, e.g. with a damaged weights file. */
  intercept: ServeOptions['intercept']
}

/** A proxy for every address but our own: what arrives here left, or tried to leave, the app's origin. */
interface Outside {
  readonly port: number
  readonly attempts: string[]
}

/** Hosts that Chromium itself calls at its start; no page has a reason to. */
const chromiumsOwn = new Set(
  ['accounts', 'clients2', 'www']
    .map((name) => `${name}.google.com`)
    .concat(
      [
        'update',
        'clientservices',
        'content-autofill',
        'optimizationguide-pa',
        'safebrowsing',
        'android.clients',
      ].map((name) => `${name}.googleapis.com`),
      ['redirector.gvt1.com', 'edgedl.me.gvt1.com'],
    ),
)

interface WorkerFixtures {
  outside: Outside
  served: { site: Site; log: SeenRequest[]; intercept: ServeOptions['intercept'] }
}

interface Fixtures {
  app: ServedApp
  /** Set true in a test that means to provoke requests to elsewhere; it then checks `outside` itself. */
  strangersExpected: { yes: boolean }
  /** Fails the test when the page logs an error or throws, unless a pattern allows it. */
  pageErrors: { allow(pattern: RegExp): void; readonly seen: string[] }
  /** axe on the page as it stands; fails with rule, element and what to do. */
  axe(page: Page, state: string): Promise<void>
  guard: void
}

export const test = base.extend<Fixtures & Options, WorkerFixtures>({
  backend: ['wasm', { option: true }],
  hostName: ['localhost', { option: true }],
  settings: [{}, { option: true }],

  outside: [
    async ({}, use) => {
      const attempts: string[] = []
      const note = (method: string, host: string, url: string) => {
        if (!chromiumsOwn.has(host)) attempts.push(`${method} ${url}`)
      }
      const proxy = createServer((request, response) => {
        const url = request.url ?? ''
        note(request.method ?? '', hostOf(url), url)
        response.writeHead(502).end()
      })
      proxy.on('connect', (request, socket) => {
        const url = request.url ?? ''
        note('CONNECT', url.replace(/:\d+$/, ''), url)
        socket.end('HTTP/1.1 502 Refused by the tests\r\n\r\n')
      })
      await listening(proxy)
      await use({ port: (proxy.address() as AddressInfo).port, attempts })
      proxy.closeAllConnections()
      proxy.close()
    },
    { scope: 'worker' },
  ],

  launchOptions: [
    async ({ launchOptions, outside }, use) => {
      // Loopback is never proxied; lab.test is our own name for it.
      const through = [`--proxy-server=http://127.0.0.1:${outside.port}`, '--proxy-bypass-list=lab.test']
      await use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...through] })
    },
    { scope: 'worker' },
  ],

  served: [
    async ({}, use) => {
      const log: SeenRequest[] = []
      const served: WorkerFixtures['served'] = { site: undefined as never, log, intercept: undefined }
      served.site = await serve(dist, {
        onRequest: (request) => log.push(request),
        intercept: (path, respond) => served.intercept?.(path, respond) ?? false,
      })
      await use(served)
      await served.site.close()
    },
    { scope: 'worker' },
  ],

  strangersExpected: async ({}, use) => use({ yes: false }),

  app: async ({ served, hostName }, use) => {
    const from = served.log.length
    const origin = `http://${hostName}:${served.site.port}`
    await use({
      origin,
      at: (route = '') => `${origin}/${route}`,
      get requests() {
        return served.log.slice(from)
      },
      get intercept() {
        return served.intercept
      },
      set intercept(answer) {
        served.intercept = answer
      },
    })
    served.intercept = undefined
  },

  context: async ({ context, backend, settings }, use) => {
    await context.addInitScript(storeSettings, { ...settings, backend })
    await use(context)
  },

  pageErrors: async ({ context }, use) => {
    const allowed: RegExp[] = []
    const seen: string[] = []
    context.on('weberror', (error) => seen.push(`uncaught: ${error.error().stack ?? error.error().message}`))
    context.on('console', (message) => {
      if (message.type() === 'error') seen.push(`console: ${message.text()}`)
    })
    await use({ allow: (pattern) => allowed.push(pattern), seen })
    const unexpected = seen.filter((text) => !allowed.some((pattern) => pattern.test(text)))
    expect(unexpected, 'errors that the page logged').toEqual([])
  },

  // Every test is watched, whether it asks or not.
  guard: [
    async ({ context, app, outside, strangersExpected, pageErrors }, use) => {
      const strangers: string[] = []
      const attemptsBefore = outside.attempts.length
      context.on('request', (request) => {
        const { protocol, origin } = new URL(request.url())
        if (/^(https?|wss?):$/.test(protocol) && origin !== app.origin) strangers.push(request.url())
      })
      await use()
      void pageErrors
      if (strangersExpected.yes) return
      expect.soft(strangers, 'requests that the page made to another origin').toEqual([])
      expect
        .soft(outside.attempts.slice(attemptsBefore), 'requests that reached the world outside')
        .toEqual([])
    },
    { auto: true },
  ],

  axe: async ({}, use) => {
    await use(async (page, state) => {
      const { violations } = await new AxeBuilder({ page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
        .analyze()
      const told = violations.flatMap(({ id, help, nodes }) =>
        nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
      )
      expect.soft(told, `axe on ${state}`).toEqual([])
    })
  },
})

/** Runs in the page before its own scripts: the choices that Settings stores, unless the test made others there. */
function storeSettings(chosen: Record<string, unknown>) {
  try {
    const key = 'perturb.settings'
    const stored = JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, unknown>
    localStorage.setItem(key, JSON.stringify({ ...chosen, ...stored }))
  } catch {
    // A frame of opaque origin has no storage; nothing to choose there.
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : ''
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
}
