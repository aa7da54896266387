import { createRng } from '../../core/rng.ts'
import { createTriggerSet, falseAccusations } from '../../defences/watermark/trigger-set.ts'
import {
  dawnTrial,
  markTrial,
  trainInnocents,
  type DawnThief,
  type Suspect,
} from '../../grading/watermark-trial.ts'
import { defineMethod } from '../method.ts'

export interface MarkTrialParams {
  dataset: string
  /** Where the triggers come from: pictures of something else. */
  foreign: string
  /** How many triggers, and how often each stands in the training. */
  triggers: number
  repeats: number
  innocents: number
  /** DAWN: share of answers that are wrong, and how many passes its thieves train. */
  dawnShare: number
  dawnEpochs: readonly number[]
  seed: number
}

export interface MarkTrialResult {
  suspects: Suspect[]
  unmarked: number
  /** Hits from which on an innocent is accused less than once in a million; undefined when no number is enough. */
  enough: number | undefined
  dawn: DawnThief[]
}

/** Marks a model, steals it in four ways, and asks all suspects; and the same for marked answers. */
export const method = defineMethod<MarkTrialParams, MarkTrialResult>({
  name: 'mark-trial',
  runsOn: ['engine'],
  async run(params, { signal, progress }, workshop) {
    const { triggers: count, repeats, innocents: others, dawnShare, dawnEpochs } = params
    const data = await workshop.dataset(params.dataset)
    const { test } = await workshop.dataset(params.foreign)
    const seed = createRng(params.seed, 'trial').uint32()
    const pool = test.pixels(Array.from({ length: Math.min(1000, test.count) }, (_, id) => id))
    const size = pool.length / Math.min(1000, test.count)
    const numClasses = data.classes.length
    const triggers = createTriggerSet(pool, size, { count, numClasses, seed })
    const total = others + 1 + 3 + 1 + dawnEpochs.length
    const part = (from: number) => ({
      signal,
      onStep: (done: number) => progress(from + done, total),
    })
    const { innocents, unmarked } = await trainInnocents(data, { count: others, seed }, part(0))
    const suspects = await markTrial(data, triggers, { repeats, seed, innocents }, part(others + 1))
    const dawn = await dawnTrial(data, { share: dawnShare, seed, epochs: dawnEpochs }, part(others + 4))
    return {
      suspects,
      unmarked,
      enough: falseAccusations(1e-6, count, 1 / numClasses).hits,
      dawn,
    }
  },
})
