import { variantOf } from '../../grading/referee.ts'
import { defineMethod } from '../method.ts'

/** What the learner's seed makes of a lab: plain JSON. */
export const method = defineMethod<{ lab: string; seed: number }, unknown>({
  name: 'variant',
  runsOn: ['referee'],
  run: async ({ lab, seed }, _, workshop) => variantOf(await workshop.lab(lab), seed, workshop),
})
