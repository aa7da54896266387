import { gradeArtefact, type GradeRequest } from '../../grading/referee.ts'
import type { Verdict } from '../../grading/verdict.ts'
import { defineMethod } from '../method.ts'

export type GradeParams = GradeRequest & { lab: string }

/** Measures an artefact again from trusted copies of model and data; the artefact is untrusted. */
export const method = defineMethod<GradeParams, Verdict>({
  name: 'grade',
  runsOn: ['referee'],
  run: async ({ lab, ...request }, _, workshop) => gradeArtefact(await workshop.lab(lab), request, workshop),
})
