import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildIfStale, dist } from '../../src/cli/app.ts'
import { measureBundles } from '../../src/cli/bundle-sizes.ts'

/**
 * Hosts that the text of the app may name without ever asking them: namespaces, specifications, and links
 * that a learner may follow. A host that is not here fails the test, so that a new one is looked at.
 */
const namedOnly = [
  'www.w3.org',
  'svelte.dev',
  'github.com',
  'js.tensorflow.org',
  'www.tensorflow.org',
  'developer.mozilla.org',
  'arxiv.org',
  'doi.org',
  'proceedings.mlr.press',
  'openreview.net',
  'json-schema.org',
  // In licences and in the glue that Emscripten writes.
  'www.apache.org',
  'emscripten.org',
  'foo.com',
  'en.wikipedia.org',
  'www.shadertoy.com',
  // The doctor tells what to open instead.
  'localhost',
  'localhost.',
]

interface Built {
  path: string
  text: string
}

describe('the built app', () => {
  let files: Built[] = []

  beforeAll(async () => {
    await buildIfStale(console.log)
    files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(html|js|css|json|svg|webmanifest)$/.test(path) && !path.startsWith('.vite'))
      .map((path) => ({ path, text: readFileSync(join(dist, path), 'utf8') }))
  }, 300_000)

  it('is the production build: no development checks, no names of source files', () => {
    const development = files.filter(
      ({ path, text }) => path.endsWith('.js') && /src\/ui\/\w+\/\w+\.svelte/.test(text),
    )
    expect(development.map(({ path }) => path)).toEqual([])
  })

  it('loads nothing from another origin: no markup, style, import, fetch or socket names one', () => {
    expect(files.length).toBeGreaterThan(10)
    expect(files.flatMap(outsideLoads)).toEqual([])
  })

  it('would find such a load', () => {
    const loads = [
      ['a.html', '<script src="https://cdn.test/x.js"></script>'],
      ['a.html', '<link rel="stylesheet" href="//fonts.test/a.css">'],
      ['a.css', 'src:url(https://fonts.test/a.woff2)'],
      ['a.css', '@import "https://fonts.test/a.css"'],
      ['a.js', 'fetch("https://api.test/x")'],
      ['a.js', 'import("https://cdn.test/x.js")'],
      ['a.js', 'new WebSocket(`wss://live.test`)'],
      ['a.js', 'importScripts("http://cdn.test/x.js")'],
      ['a.js', 'navigator.sendBeacon("https://count.test/x")'],
    ] as const
    for (const [path, text] of loads) expect(outsideLoads({ path, text }), text).toHaveLength(1)
    expect(outsideLoads({ path: 'a.html', text: '<a href="https://arxiv.org/abs/1">paper</a>' })).toEqual([])
  })

  it('names no host that has not been looked at', () => {
    const named = new Set(
      files
        .filter(({ path }) => !/(^|\/)(ts\.worker|editor)/.test(path))
        .flatMap(({ path, text }) =>
          [...text.matchAll(/\b(?:https?|wss?):\/\/([\w.-]+)/g)].map(
            ([, host]) => `${host} (${path.replace(/-[\w-]{8}\./, '.')})`,
          ),
        ),
    )
    const unknown = [...named].filter((entry) => !namedOnly.includes(entry.split(' ')[0]!))
    expect(unknown).toEqual([])
  })

  it('carries its content security policy, which allows no other origin', () => {
    const page = files.find(({ path }) => path === 'index.html')!.text
    const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(page)?.[1] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/https?:|\*|%[A-Z_]+%|'unsafe-eval'/)
    expect(policy).toMatch(/script-src [^;]*'sha256-[A-Za-z0-9+/=]{44}'/)
  })

  it('works from any path: no address begins with a slash', () => {
    const page = files.find(({ path }) => path === 'index.html')!.text
    expect([...page.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, path]) => path)).toEqual([])
  })

  it('ships no solution, mistake or grader in what a lab page loads first', () => {
    const shell = files.filter(({ path }) => /^assets\/index-[\w-]+\.js$/.test(path))
    expect(shell.length).toBeGreaterThan(0)
    expect(shell.filter(({ text }) => /\/\/ finding: /.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('has its parts: shell, lab and workers', () => {
    const sizes = Object.fromEntries(measureBundles(dist).map(({ name, bytes }) => [name, bytes]))
    expect(sizes['shell']).toBeGreaterThan(10_000)
    expect(sizes['lab before the editor']).toBeGreaterThan(sizes['shell']!)
    expect(sizes['shell']).toBeLessThan(150_000)
    expect(sizes['lab before the editor']).toBeLessThan(700_000)
    expect(existsSync(join(dist, 'wasm/tfjs-backend-wasm-simd.wasm'))).toBe(true)
  })
})

/** What a browser would fetch from elsewhere when it reads this file. */
function outsideLoads({ path, text }: Built): string[] {
  const patterns = path.endsWith('.css')
    ? [/url\(\s*["']?(?:https?:)?\/\//g, /@import\s+["'](?:https?:)?\/\//g]
    : path.endsWith('.html')
      ? [
          /<(?:script|img|iframe|audio|video|source|embed|object)\b[^>]*\b(?:src|data)=["']?(?:https?:)?\/\//g,
          /<link\b[^>]*\bhref=["']?(?:https?:)?\/\//g,
        ]
      : [
          /\b(?:fetch|import|importScripts|sendBeacon|open)\(\s*["'`](?:https?|wss?):\/\//g,
          /new (?:WebSocket|EventSource|Worker|SharedWorker|WebTransport)\(\s*["'`](?:https?|wss?):\/\//g,
          /\.src\s*=\s*["'`]https?:\/\//g,
        ]
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((found) => `${path}: ${text.slice(found.index, found.index + 80)}`),
  )
}
