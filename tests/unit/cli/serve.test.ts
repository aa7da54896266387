import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBrowser } from '../../../src/cli/browser.ts'
import { serve, type Site } from '../../../src/cli/serve.ts'

let folder: string
let site: Site

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perturb-serve-'))
  mkdirSync(join(folder, 'dist/assets'), { recursive: true })
  for (const name of ['index.html', 'assets/app-1a2b3c4d.js', 'assets/app.js', 'kernels.wasm', 'weights.bin'])
    writeFileSync(join(folder, 'dist', name), 'x')
  writeFileSync(join(folder, 'secret.txt'), 'not of the app')
  site = await serve(join(folder, 'dist'))
})
afterAll(async () => {
  await site.close()
  rmSync(folder, { recursive: true })
})

describe('the server of npm start', () => {
  test.each([
    ['', 'text/html', 'no-cache'],
    ['index.html', 'text/html', 'no-cache'],
    ['assets/app-1a2b3c4d.js', 'text/javascript', 'public, max-age=31536000, immutable'],
    ['assets/app.js', 'text/javascript', 'no-cache'],
    ['kernels.wasm', 'application/wasm', 'no-cache'],
    ['weights.bin', 'application/octet-stream', 'no-cache'],
  ])('serves /%s as %s, %s, and isolates no origin', async (path, type, caching) => {
    const { status, headers } = await fetch(`${site.address}/${path}`)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(new RegExp(`^${type}\\b`))
    expect(headers.get('cache-control')).toBe(caching)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cross-origin-opener-policy')).toBeNull()
    expect(headers.get('cross-origin-embedder-policy')).toBeNull()
  })

  test.each(['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/nothing.js'])(
    'has nothing at %s',
    async (path) => {
      // fetch would tidy the path.
      const status = await new Promise((resolve, reject) => {
        request({ port: site.port, path }, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end()
      })
      expect(status).toBe(404)
    },
  )

  test('isolates a page that is to have threads, when asked', async () => {
    const isolated = await serve(join(folder, 'dist'), { isolated: true })
    const { headers } = await fetch(`${isolated.address}/index.html`)
    await isolated.close()
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp')
  })

  test('takes no other method', async () => {
    const { status, headers } = await fetch(site.address, { method: 'POST', body: 'x' })
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

describe('the browser of the tests', () => {
  test('is the one that PERTURB_CHROMIUM names, or that is no program, in a sentence', () => {
    expect(findBrowser({ PERTURB_CHROMIUM: process.execPath })).toEqual({
      path: process.execPath,
      from: 'PERTURB_CHROMIUM',
    })
    expect(() => findBrowser({ PERTURB_CHROMIUM: '/nowhere/chrome' })).toThrow(
      'PERTURB_CHROMIUM must name a program; got "/nowhere/chrome", which is none; unset it or correct the path',
    )
  })

  test('is otherwise Playwright’s own, or the first on PATH', () => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'google-chrome'), '', { mode: 0o755 })
    writeFileSync(join(bin, 'chromium'), '', { mode: 0o644 })
    const found = findBrowser({ PATH: bin })
    if (found?.from !== "Playwright's own browser")
      expect(found).toEqual({ path: join(bin, 'google-chrome'), from: 'PATH' })
  })
})
