import './node-platform.ts'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { method as trainDefence, type TrainDefenceParams } from '../engine/methods/train-defence.ts'
import { createWorkshop } from '../engine/workshop.ts'
import type { Trace } from '../labs/trace.ts'
import { readStatic, repository } from './node-platform.ts'

/**
 * Runs the training that each file of labs/SLUG/traces/ describes, on WASM, and writes the curve that came of it
 * beside its parameters. A curve in a guide is measured, and anybody can measure it again.
 */
export async function measureTraces(slug: string): Promise<number> {
  const folder = join(repository, 'labs', slug, 'traces')
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : []
  if (files.length === 0)
    throw new Error(`labs/${slug}/traces: no trace to measure; expected NAME.json there`)
  const prettier = await import('prettier')
  for (const file of files.sort()) {
    const path = join(folder, file)
    const trace = JSON.parse(readFileSync(path, 'utf8')) as Trace
    const history = await runTrace(trace)
    const text = JSON.stringify({ ...trace, history })
    writeFileSync(path, await prettier.format(text, { parser: 'json', printWidth: 110 }))
    const { step, ...last } = history.at(-1)!
    console.log(`labs/${slug}/traces/${file}: ${step} steps; ${JSON.stringify(last)}`)
  }
  return 0
}

/** The curve, rounded to what a chart can show. */
export async function runTrace({ params }: Pick<Trace, 'params'>): Promise<Trace['history']> {
  const workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => undefined })
  await workshop.start('wasm')
  const context = { signal: new AbortController().signal, progress: () => undefined }
  const { history } = await trainDefence.run(params as unknown as TrainDefenceParams, context, workshop)
  // The loss is read oftener than a chart is wide.
  const every = Math.max(1, Math.ceil(history.length / 60))
  return history
    .filter(({ cleanAccuracy }, i) => cleanAccuracy !== undefined || i % every === 0)
    .map(
      (point) =>
        Object.fromEntries(
          Object.entries(point).map(([name, value]) => [name, Number(value.toFixed(3))]),
        ) as Trace['history'][number],
    )
}
