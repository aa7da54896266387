import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { repository } from './repository.ts'

const cache = join(repository, 'node_modules/.cache/perturb')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'test-'))
const running: Run[] = []

afterEach(async () => {
  for (const run of running.splice(0)) await run.end()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A command as it is typed, still running. */
class Run {
  #child
  #exited
  out = ''
  err = ''

  constructor(argv: string[], dist: string) {
    const env = { ...process.env, PERTURB_DIST: dist, NO_COLOR: '1' }
    this.#child = spawn(process.execPath, ['src/cli/run.mjs', ...argv], { cwd: repository, env })
    this.#exited = once(this.#child, 'close')
    this.#child.stdout.on('data', (text) => void (this.out += text))
    this.#child.stderr.on('data', (text) => void (this.err += text))
    running.push(this)
  }

  /** Resolves with the exit code. */
  async exit(): Promise<number> {
    const [code] = (await this.#exited) as [number]
    return code
  }

  /** The address it prints, once it serves; fails with its words when it ends instead. */
  async address(): Promise<string> {
    const ended = this.exit().then((code) => {
      throw new Error(`ended with ${code}: ${this.out}${this.err}`)
    })
    ended.catch(() => undefined)
    const printed = async () => {
      for (;;) {
        const address = /http:\/\/[\w.:[\]-]+\//.exec(this.out)?.[0]
        if (address) return address
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    return Promise.race([ended, printed()])
  }

  async end(): Promise<number> {
    this.#child.kill('SIGTERM')
    return this.exit()
  }
}

/** A dist/ of one page, as old as asked. */
function page(name: string, time: Date): string {
  const dist = join(folder, name)
  mkdirSync(dist)
  writeFileSync(join(dist, 'index.html'), '<title>a page of the test</title>')
  utimesSync(join(dist, 'index.html'), time, time)
  return dist
}
const later = new Date(Date.now() + 3_600_000)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe.each(['start', 'dev'])('npm run %s', (name) => {
  it('serves at the port it is told, and says what to do when that port is in use', async () => {
    const dist = page(`${name}-port`, later)
    const port = await freePort()
    const first = new Run([name, '--port', `${port}`], dist)
    expect(await first.address()).toBe(`http://localhost:${port}/`)
    expect((await fetch(`http://localhost:${port}/`)).status).toBe(200)
    const second = new Run([name, '--port', `${port}`], dist)
    expect(await second.exit()).toBe(1)
    expect(second.err.trim()).toBe(
      `${name}: port ${port} is in use by another program; stop that program, or choose another port with \`-- --port ${port + 1}\``,
    )
    await first.end()
  })

  it('listens where --host says, and names an address that this machine does not have', async () => {
    const dist = page(`${name}-host`, later)
    const port = await freePort()
    const everywhere = new Run([name, '--port', `${port}`, '--host', '0.0.0.0'], dist)
    await everywhere.address()
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
    // 192.0.2.0/24 is kept for documentation: nobody has it.
    const nowhere = new Run([name, '--host', '192.0.2.1'], dist)
    expect(await nowhere.exit()).toBe(1)
    expect(nowhere.err.trim()).toBe(
      `${name}: this machine has no address "192.0.2.1"; use --host 0.0.0.0 for every address it has, or leave --host out for this machine only`,
    )
  })

  it.each(['http', '65536', '-1'])('refuses the port %s', async (port) => {
    const run = new Run([name, `--port=${port}`], page(`${name}-${port}`, later))
    expect(await run.exit()).toBe(1)
    expect(run.err.trim()).toBe(`${name}: --port must be a whole number from 0 to 65535; got "${port}"`)
  })
})

describe('npm start', () => {
  it('takes the next free port when none is asked for', async () => {
    const dist = page('next', later)
    const addresses = [await new Run(['start'], dist).address(), await new Run(['start'], dist).address()]
    expect(new Set(addresses).size).toBe(2)
    for (const address of addresses)
      expect(await (await fetch(address)).text()).toContain('a page of the test')
  })

  it('builds the app anew when its sources are newer, and only then', { timeout: 300_000 }, async () => {
    const fresh = new Run(['start', '--port', '0'], page('fresh', later))
    await fresh.address()
    expect(fresh.out).not.toContain('building')
    const dist = page('stale', new Date(0))
    const stale = new Run(['start', '--port', '0'], dist)
    const address = await stale.address()
    expect(stale.out).toContain('sources have changed; building the app')
    const served = await (await fetch(address)).text()
    expect(served).toContain('Content-Security-Policy')
    expect(served).toBe(readFileSync(join(dist, 'index.html'), 'utf8'))
  })
})
