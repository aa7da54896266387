import { PerturbError } from '../core/errors.ts'
import type { HistoryPoint } from '../models/train.ts'

/**
 * A training that was measured beforehand, to be looked at: labs/<slug>/traces/<name>.json. Authors write title and
 * params; `npm run calibrate -- --lab SLUG --traces` runs them and writes the history.
 */
export interface Trace {
  title: string
  /** Of the engine's `train-defence`. */
  params: Record<string, unknown> & { options?: Record<string, number> }
  history: HistoryPoint[]
}

const found = import.meta.glob<Trace>('../../labs/*/traces/*.json', { import: 'default' })

/** Throws `missing`, naming the traces that the lab has. */
export async function loadTrace(lab: string, name: string): Promise<Trace> {
  const load = found[`../../labs/${lab}/traces/${name}.json`]
  if (load) return load()
  const own = Object.keys(found)
    .filter((path) => path.includes(`/labs/${lab}/`))
    .map((path) => path.slice(path.lastIndexOf('/') + 1, -'.json'.length))
  throw new PerturbError(
    'missing',
    `no trace "${name}" in labs/${lab}/traces/; there are ${own.join(', ') || 'none'}`,
  )
}
