/** Who takes part in the comparison: a page in a browser, or a program of its own that is asked line by line. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Browser } from '@playwright/test'
import type { BenchPage } from './page.ts'

export interface Side extends BenchPage {
  close(): Promise<void>
}

const calls = ['titles', 'start', 'prepare', 'time', 'look', 'growths', 'growth'] as const

type Ask = (call: (typeof calls)[number], given: unknown[]) => Promise<unknown>

const sideOf = (ask: Ask, close: () => Promise<void>): Side => ({
  ...(Object.fromEntries(
    calls.map((call) => [call, (...given: unknown[]) => ask(call, given)]),
  ) as unknown as BenchPage),
  close,
})

/** A page of tests/bench in a fresh profile; `cores`: what the page is told of the machine. */
export async function browserSide(
  browser: Browser,
  address: string,
  { cores }: { cores?: number } = {},
): Promise<Side> {
  const context = await browser.newContext()
  if (cores !== undefined)
    await context.addInitScript((count) => {
      Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => count })
    }, cores)
  const page = await context.newPage()
  await page.goto(address)
  await page.waitForFunction(() => 'bench' in globalThis)
  return sideOf(
    (call, given) =>
      page.evaluate(
        ([name, values]) => {
          const { bench } = globalThis as unknown as {
            bench: Record<string, (...values: unknown[]) => Promise<unknown>>
          }
          return bench[name]!(...values)
        },
        [call, given] as const,
      ),
    () => context.close(),
  )
}

/** A program that answers each line `{"call", "given"}` with one `{"value"}` or `{"error"}`. */
export function programSide(program: string, args: string[], folder: string): Side {
  const child = spawn(program, args, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = []
  let ended: Error | undefined
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => (complaint = (complaint + text.toString()).slice(-2000)))
  const end = (why: string) => {
    ended ??= new Error(`${program} ${why}${complaint ? `: ${complaint.trim().split('\n').at(-1)}` : ''}`)
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  child.on('error', (error) => end(`did not start: ${error.message}`))
  child.on('close', (status) => end(`ended with ${status}`))
  child.stdin.on('error', () => end('no longer listens'))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const asked = waiting.shift()
    if (!asked) return
    const { value, error } = JSON.parse(line) as { value?: unknown; error?: string }
    if (error === undefined) asked.resolve(value)
    else asked.reject(new Error(error))
  })
  return sideOf(
    (call, given) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended)
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify({ call, given })}\n`)
      }),
    () => closed(child),
  )
}

function closed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('close', () => resolve())
    child.stdin?.end()
    // One that is in the middle of a long go does not hear that its input has ended.
    setTimeout(() => child.kill('SIGKILL'), 2000).unref()
  })
}
