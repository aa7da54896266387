/**
 * RONI, reject on negative impact: a batch of new rows is tried out before it is trusted. Small models are
 * trained on trusted rows with and without it; a batch that makes them worse is turned away. Nelson, Barreno,
 * Chi, Joseph, Rubinstein, Saini, Sutton, Tygar, Xia 2008, "Exploiting Machine Learning to Subvert Your Spam
 * Filter", §5.1 (LEET).
 *
 * Differs from the paper: whole batches (an analyst's week) beside single rows, any figure in place of hits.
 * Targeted poison, that harms only what is not among the trusted rows, passes (their §5.1).
 */
import { PerturbError } from '../../core/errors.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { checkRows, takeRows, type LabelledRows } from '../../data/labelled-rows.ts'
import { accuracyOf } from '../../metrics/poisoning.ts'
import { topClasses } from '../../models/network.ts'
import { readLogits, type Fit } from './fit.ts'

export interface RoniOptions {
  /** Random splits of the trusted rows, over which impacts are averaged; the paper's 5. */
  trials: number
  /** Trusted rows that each trial trains on; it is judged on all others. */
  trainRows: number
  /** A batch is turned away when it takes more than this from the figure, on average. */
  tolerance: number
  /** What is measured on the held-out trusted rows, higher is better; accuracy when absent. */
  figure?: (logits: Float32Array, labels: Int32Array) => number
}

export interface RoniVerdict {
  /** Mean change of the figure when the batch is trained on as well: below 0, it does harm. */
  impact: number
  /** The change in each trial. */
  impacts: number[]
  rejected: boolean
}

/**
 * One verdict a batch. Trains trials × (batches + 1) models. Within a trial every model is trained from the
 * same seed, so that only the batch tells them apart. Throws RangeError for counts below 1 and a negative
 * tolerance; `bad-input` for data that do not fit, batches of another shape, and when no trusted row would be
 * left to judge by. An empty batch has no impact.
 */
export async function roni(
  trusted: LabelledRows,
  batches: readonly LabelledRows[],
  fit: Fit,
  { trials, trainRows, tolerance, figure = accuracyFigure }: RoniOptions,
  run: RunContext,
): Promise<RoniVerdict[]> {
  for (const [name, value] of [
    ['trials', trials],
    ['trainRows', trainRows],
  ] as const)
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`roni: ${name} must be a whole number of at least 1; got ${value}`)
  if (!(tolerance >= 0)) throw new RangeError(`roni: tolerance must be at least 0; got ${tolerance}`)
  checkRows('roni', trusted)
  if (trainRows >= trusted.ids.length)
    throw new PerturbError(
      'bad-input',
      `roni: of ${trusted.ids.length} trusted rows ${trainRows} are trained on, and none is left to judge by; lower trainRows`,
    )
  for (const batch of batches) checkBatch(trusted, batch)

  const impacts = batches.map((): number[] => [])
  const rng = createRng(run.seed, 'roni')
  let done = 0
  const total = trials * (1 + batches.filter(({ ids }) => ids.length > 0).length)
  for (let trial = 0; trial < trials; trial++) {
    const order = rng.shuffle([...trusted.ids.keys()])
    const base = takeRows(trusted, order.slice(0, trainRows))
    const held = takeRows(trusted, order.slice(trainRows))
    const measure = async (rows: LabelledRows) => {
      throwIfCancelled(run)
      const model = await fit(rows, { seed: run.seed + trial, signal: run.signal })
      try {
        return figure(await readLogits(model, held), held.labels)
      } finally {
        model.dispose()
        run.onStep?.(++done, total)
      }
    }
    const without = await measure(base)
    for (const [i, batch] of batches.entries())
      impacts[i]!.push(batch.ids.length === 0 ? 0 : (await measure(joined(base, batch))) - without)
  }
  return impacts.map((each) => {
    const impact = each.reduce((sum, value) => sum + value, 0) / each.length
    return { impact, impacts: each, rejected: impact < -tolerance }
  })
}

const accuracyFigure = (logits: Float32Array, labels: Int32Array) =>
  accuracyOf(topClasses(logits, logits.length / labels.length), labels)

function joined(base: LabelledRows, batch: LabelledRows): LabelledRows {
  const x = new Float32Array(base.x.length + batch.x.length)
  x.set(base.x)
  x.set(batch.x, base.x.length)
  const labels = new Int32Array(base.ids.length + batch.ids.length)
  labels.set(base.labels)
  labels.set(batch.labels, base.labels.length)
  // Ids of a batch may be those of trusted rows: within a trial they name nothing.
  return {
    ...base,
    x,
    labels,
    ids: Int32Array.from(labels.keys()),
  }
}

function checkBatch({ shape, numClasses }: LabelledRows, batch: LabelledRows): void {
  if (batch.numClasses !== numClasses || batch.shape.join() !== shape.join())
    throw new PerturbError(
      'bad-input',
      `roni: a batch must have rows of shape [${shape.join(', ')}] and ${numClasses} classes; got [${batch.shape.join(', ')}] and ${batch.numClasses}`,
    )
  if (batch.ids.length > 0) checkRows('roni', batch)
}
