import type { Options } from '../../attacks/attack.ts'
import { findAttack } from '../../attacks/registry.ts'
import { isAdversarial } from '../../core/criteria.ts'
import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import {
  batchOf,
  criterionOf,
  readImages,
  remembering,
  withModel,
  type ImagesRef,
  type ModelRef,
} from '../images.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'
import { runSmallSteps, type SmallSteps } from '../small-steps.ts'

export interface SweepParams {
  model: ModelRef
  images: ImagesRef
  attack: string
  options: Options
  /** The option that takes each of the values in turn. */
  parameter: string
  values: number[]
  /** Each value is run once a seed; one seed by default. */
  seeds?: number[]
  targets?: number[]
  /** Repeats the attack in small steps within its epsilon. */
  small?: SmallSteps
}

export interface SweepPoint {
  value: number
  /** Share of the images on which the attack succeeds, 0 to 1: the mean over seeds, and its range. */
  share: number
  low: number
  high: number
}

const batchRows = 64

/** Success against strength: one attack over a range of one of its options. */
export const method = defineMethod<SweepParams, { points: SweepPoint[] }>({
  name: 'sweep',
  runsOn: ['engine'],
  run: (
    { model: ref, images: imagesRef, attack, options, parameter, values, seeds = [0], targets, small },
    { signal, progress },
    workshop,
  ) =>
    withModel(workshop, ref, async (model) => {
      const entry = findAttack(attack)
      if (!Object.hasOwn(entry.defaults, parameter))
        throw new PerturbError(
          'bad-input',
          `sweep: ${attack} has no option "${parameter}"; it has ${Object.keys(entry.defaults).join(', ')}`,
        )
      if (values.length === 0 || seeds.length === 0)
        throw new PerturbError('bad-input', 'sweep: at least one value and one seed are needed; got none')
      const images = await readImages(workshop, imagesRef, model)
      const criterion = criterionOf(images.labels, targets)
      const rows = images.shape[0]!
      const hits = values.map(() => seeds.map(() => 0))
      const total = Math.ceil(rows / batchRows) * values.length * seeds.length
      const breathe = createPace(signal)
      let done = 0
      for (let from = 0; from < rows; from += batchRows) {
        const batch = batchOf(images, criterion, from, Math.min(rows, from + batchRows))
        const access = remembering(model, breathe)
        try {
          for (const [v, value] of values.entries()) {
            for (const [s, seed] of seeds.entries()) {
              await breathe()
              const run = { seed: seed + from, signal }
              const { adversarial } = await runSmallSteps(
                entry,
                access,
                batch.x,
                batch.criterion,
                { ...options, [parameter]: value },
                small,
                run,
              )
              try {
                const read = await model.predict(adversarial)
                for (const [i, top] of read.entries())
                  if (isAdversarial(batch.criterion, i, top)) hits[v]![s]! += 1
              } finally {
                adversarial.dispose()
              }
              progress(++done, total)
            }
          }
        } finally {
          access.forget()
          tf.dispose(batch.x)
        }
      }
      return {
        points: hits.map((counts, v) => {
          const shares = counts.map((count) => count / rows)
          const share = shares.reduce((sum, one) => sum + one, 0) / shares.length
          return { value: values[v]!, share, low: Math.min(...shares), high: Math.max(...shares) }
        }),
      }
    }),
})
