import { knockoff } from '../../attacks/extraction/knockoff.ts'
import { QueryLedger } from '../../core/ledger.ts'
import { scoreOracle } from '../../core/oracle.ts'
import type { AnswerSpec } from '../../defences/answer.ts'
import { tellingLess } from '../../defences/answers.ts'
import { readRows, sameReads } from '../../grading/copies.ts'
import { architectureOf } from '../../models/architectures.ts'
import type { Model, Weight } from '../../models/model.ts'
import { createModel } from '../../models/network.ts'
import { defineMethod } from '../method.ts'

export interface CloneCurveParams {
  victim: { model: string; seed?: number }
  /** Whose layers the copy has. */
  copy: string
  /** What is asked about: images of a data set, or noise. */
  pictures: { dataset: string; split: 'train' | 'test'; ids: number[] } | 'noise'
  answers: readonly AnswerSpec[]
  /** Rows of each theft, fewest first; every copy learns from nothing. */
  counts: number[]
  steps: number
  learningRate: number
  /** Where victim and copy are compared. */
  probes: { dataset: string; split: 'train' | 'test'; ids: number[] }
  /** A shipped model that nobody stole, compared with the victim in the same way. */
  honest?: string
  seed: number
}

export interface CloneCurve {
  points: { queries: number; agreement: number }[]
  honest?: number
  /** Of the copy with the most rows. */
  weights: Weight[]
  /** Why the last theft ended with less than it came for. */
  shortfall?: string
}

/** Copies a network from more and more answers, and measures each copy against the victim. */
export const method = defineMethod<CloneCurveParams, CloneCurve>({
  name: 'clone-curve',
  runsOn: ['engine'],
  async run(params, { signal, progress }, workshop) {
    const { pictures, answers, counts, steps, learningRate, probes, seed } = params
    const victim = await workshop.model(params.victim.model, params.victim.seed)
    const data = await workshop.dataset(probes.dataset)
    const read = (model: Model) => readRows(model, data[probes.split], probes.ids)
    const truth = await read(victim)
    const architecture = architectureOf(params.copy)
    const means = { architecture, ...(pictures === 'noise' ? {} : { pool: await poolOf(pictures) }) }
    const source = pictures === 'noise' ? 'noise' : 'pool'
    const points: CloneCurve['points'] = []
    let weights: Weight[] = []
    let shortfall: string | undefined
    for (const [i, maxQueries] of counts.entries()) {
      const oracle = tellingLess(scoreOracle(victim, new QueryLedger()), answers, seed)
      const onStep = (done: number, total: number) => progress(i + done / total, counts.length)
      const run = { seed, onStep, ...(signal && { signal }) }
      const stolen = await knockoff(oracle, means, { source, maxQueries, steps, learningRate }, run)
      shortfall = stolen.shortfall?.message
      weights = stolen.surrogate.weights
      const copy = createModel(architecture, weights)
      try {
        points.push({ queries: stolen.queriesUsed, agreement: sameReads(truth, await read(copy)) })
      } finally {
        copy.dispose()
      }
    }
    const honest =
      params.honest === undefined
        ? undefined
        : sameReads(truth, await read(await workshop.model(params.honest)))
    return {
      points,
      weights,
      ...(honest === undefined ? {} : { honest }),
      ...(shortfall === undefined ? {} : { shortfall }),
    }

    async function poolOf({ dataset, split, ids }: Exclude<CloneCurveParams['pictures'], 'noise'>) {
      return (await workshop.dataset(dataset))[split].pixels(ids)
    }
  },
})
