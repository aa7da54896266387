import type { Weight } from '../../models/model.ts'
import { defineMethod } from '../method.ts'

export interface AdoptParams {
  model: string
  seed: number
  /** Left out to ask only whether they are needed. */
  weights?: Weight[]
}

/** Takes the referee's weights for the model of a seed. Says whether this worker has some. */
export const method = defineMethod<AdoptParams, boolean>({
  name: 'adopt-seeded',
  runsOn: ['engine'],
  async run({ model, seed, weights }, _, workshop) {
    if (weights) await workshop.adopt(model, seed, weights)
    return workshop.hasSeeded(model, seed)
  },
})
