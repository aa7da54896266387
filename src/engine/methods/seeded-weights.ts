import type { Weight } from '../../models/model.ts'
import { defineMethod } from '../method.ts'

/** The weights that a seed trains, for the worker that is to speak of the same victim. */
export const method = defineMethod<{ model: string; seed: number }, Weight[]>({
  name: 'seeded-weights',
  runsOn: ['referee'],
  run: async ({ model, seed }, _, workshop) => (await workshop.weights(model, seed)).weights,
})
