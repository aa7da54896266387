import { evaluateDefence, type DefenceFigures } from '../../defences/evaluate.ts'
import type { StageSpec } from '../../defences/stage.ts'
import { remembering, withModel, type ModelRef } from '../images.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'

export interface EvaluateDefenceParams {
  /** The network; its stages are given apart. */
  model: Omit<ModelRef, 'defence'>
  defence: StageSpec[]
  dataset: string
  split: 'train' | 'test'
  ids: number[]
  /** L∞. */
  epsilon: number
  steps: number
  looks: number
  seed: number
}

/** What a defence withstands by its own gradient and against an attacker who knows it, and which signs are seen. */
export const method = defineMethod<EvaluateDefenceParams, DefenceFigures>({
  name: 'evaluate-defence',
  runsOn: ['engine'],
  run: ({ model: ref, defence, dataset, split, ids, seed, ...options }, { signal, progress }, workshop) =>
    withModel(workshop, ref, async (model) => {
      const part = (await workshop.dataset(dataset))[split]
      const x = part.images(ids)
      // Every answer of the network lets waiting messages in, so that a cancel is heard within a step.
      const paced = remembering(model, createPace(signal))
      try {
        const network = {
          ...model,
          logits: paced.logits,
          lossAndGradient: paced.lossAndGradient,
          vjp: paced.vjp,
        }
        const labels = ids.map((id) => part.labels[id]!)
        const run = { seed, signal, onStep: progress }
        return await evaluateDefence(network, defence, x, labels, options, run)
      } finally {
        paced.forget()
        x.dispose()
      }
    }),
})
