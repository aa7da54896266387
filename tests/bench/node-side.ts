/** One side in a Node process, on the graphics device that the package `webgpu` finds; asked line by line. */
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { BenchPage } from '../../src/cli/bench/page.ts'
import { provideWebgpu } from '../../src/cli/node-webgpu.ts'

// Standard output is for answers only.
console.log = console.error
await provideWebgpu()
await import(/* @vite-ignore */ pathToFileURL(process.argv[2]!).href)
const { bench } = globalThis as unknown as {
  bench: Record<keyof BenchPage, (...given: unknown[]) => unknown>
}

for await (const line of createInterface({ input: process.stdin })) {
  const { call, given } = JSON.parse(line) as { call: keyof BenchPage; given: unknown[] }
  let answer: { value?: unknown; error?: string }
  try {
    answer = { value: await bench[call](...given) }
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
process.exit(0)
