import type { AnswerSpec } from '../../defences/answer.ts'
import { priceAnswers, type AnswerPrice } from '../../grading/answer-price.ts'
import { defineMethod } from '../method.ts'

export interface PriceAnswersParams {
  dataset: string
  /** Formats in order, for each way of answering; none answers exactly. */
  ways: readonly (readonly AnswerSpec[])[]
  seed: number
}

/** A clone for each way of answering, and what an honest user still reads. */
export const method = defineMethod<PriceAnswersParams, AnswerPrice[]>({
  name: 'price-answers',
  runsOn: ['engine'],
  async run({ dataset, ways, seed }, { signal, progress }, workshop) {
    return priceAnswers(await workshop.dataset(dataset), ways, seed, { signal, onStep: progress })
  },
})
