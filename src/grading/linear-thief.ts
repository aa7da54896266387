/**
 * What the library's thefts of a logistic model cost, to price a defence with: equation solving (Tramèr et al. 2016,
 * §4.1, arXiv:1609.02943) and boundary search (Lowd and Meek 2005), against a victim whose numbers are known here.
 */
import { boundarySearch } from '../attacks/extraction/boundary-search.ts'
import { equationSolving } from '../attacks/extraction/equation-solving.ts'
import type { Surrogate } from '../attacks/attack.ts'
import { solveSoftmax } from '../attacks/softmax-equations.ts'
import type { DecisionOracle, ScoreOracle } from '../core/classifier.ts'
import * as tf from '../core/tf.ts'
import { logOdds, sigmoid, trainLogistic, type LogisticModel } from '../models/logistic.ts'
import { logisticOfScores } from './surrogate.ts'

type Point = ArrayLike<number>
/** Probabilities of the second class, one a row. */
export type AskRows = (rows: readonly Point[]) => number[]

/** A victim behind an API that rounds to multiples of step; 0 is exact (in float32), 1 tells the class alone. */
export function roundedAnswers(victim: LogisticModel, step: number): AskRows {
  return (rows) =>
    rows.map((x) => {
      const p = Math.fround(sigmoid(logOdds(victim, x)))
      return step === 0 ? p : step === 1 ? Number(p > 0.5) : Math.round(p / step) * step
    })
}

/** The same API as an attack meets it. */
function roundingApi(victim: LogisticModel, step: number): ScoreOracle & DecisionOracle {
  const d = victim.weights.length
  const answer = roundedAnswers(victim, step)
  const answers = async (x: tf.Tensor) => {
    const values = await x.data()
    return answer(Array.from({ length: x.shape[0]! }, (_, row) => values.slice(row * d, (row + 1) * d)))
  }
  return {
    inputShape: [d],
    numClasses: 2,
    bounds: [-Infinity, Infinity],
    scores: async (x) =>
      tf.tensor2d(
        (await answers(x)).flatMap((p) => [1 - p, p]),
        [x.shape[0]!, 2],
      ),
    decide: async (x) => Int32Array.from(await answers(x), (p) => Number(p > 0.5)),
  }
}

/** A logistic model from probabilities, each an equation; answers of 0 and 1 say nothing, what is left open is 0. */
export function fitEquations(rows: readonly Point[], answers: readonly number[]): LogisticModel {
  return logisticOfScores(
    solveSoftmax(
      rows,
      answers.map((p) => [1 - p, p]),
      rows[0]!.length,
      2,
    ),
  )
}

/** A logistic model from labels alone, as any passive observer would train it. */
export const fitLabels = (rows: readonly Point[], answers: readonly number[]): LogisticModel =>
  trainLogistic(
    rows,
    answers.map((p) => Number(p > 0.5)),
    0.01,
  )

/** A copy, and how many rows were answered for it. */
export interface Theft {
  model: LogisticModel
  rows: number
}

/** A walk to the border by yes and no. */
export async function borderThief(
  victim: LogisticModel,
  { maxQueries, halvings, seed }: { maxQueries: number; halvings: number; seed: number },
): Promise<Theft> {
  const { surrogate, queriesUsed } = await boundarySearch(
    roundingApi(victim, 1),
    {},
    { maxQueries, halvings },
    { seed },
  )
  return { model: modelOf(surrogate), rows: queriesUsed }
}

/** Steps along the axes: long enough to be seen through coarse rounding, and not so long that answers are 0 or 1. */
const stepLength = 2

/** Equations asked again at other lengths, round after round, until `done` is satisfied or the rows are used up. */
export async function equationThief(
  victim: LogisticModel,
  {
    step,
    seed,
    maxRows,
    done,
  }: { step: number; seed: number; maxRows: number; done(model: LogisticModel): boolean },
): Promise<Theft | undefined> {
  const api = roundingApi(victim, step)
  for (let rounds = 1; rounds * (victim.weights.length + 1) <= maxRows; rounds++) {
    const { surrogate, queriesUsed } = await equationSolving(api, {}, { scale: stepLength, rounds }, { seed })
    if (queriesUsed > maxRows) break
    const model = modelOf(surrogate)
    if (done(model)) return { model, rows: queriesUsed }
  }
  return undefined
}

const modelOf = ({ weights: [kernel, bias] }: Surrogate): LogisticModel =>
  logisticOfScores({ weights: kernel!.values, bias: bias!.values })
