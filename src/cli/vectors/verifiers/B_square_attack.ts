import { square, type SquareOptions } from '../../../attacks/evasion/square.ts'
import { QueryLedger } from '../../../core/ledger.ts'
import { scoreOracle } from '../../../core/oracle.ts'
import type { Model } from '../../../models/model.ts'
import { argument, evaluationRows, meanOf, numbersIn, seedsOf, within } from '../aggregates.ts'
import { Json, NotImplemented } from '../json.ts'
import { tensorFor, type Pack } from '../pack.ts'
import type { Verify } from '../verify.ts'

/** The mean queries of fewer successes than these are luck: then further seeds are run, up to so many. */
const enoughSuccesses = 80
const mostRuns = 25

/**
 * Share of successes, and mean queries of those, over the file's seeds. Its schedule is a fixed one, so a run of
 * 2,000 queries is, up to its 500th, the run of 500.
 */
export const verify: Verify = async function* (file, pack) {
  const call = file.get('call')
  if (!/resc_schedule=False/.test(call.text())) throw new NotImplemented('a schedule over the budget')
  const [shares, deviations, percent] = numbersIn(
    file.get('tolerance'),
    /success \+-([\d.]+) or ([\d.]+) std; mean queries \+-([\d.]+)%/,
  ) as [number, number, number]
  const { count } = await evaluationRows(file, pack)
  const seeds = seedsOf(file)
  for (const [norm, models] of file.get('expected').entries())
    for (const [id, cases] of models.entries()) {
      const model = await pack.model(id)
      const parsed = cases.entries().map(([name, expected]) => {
        const [epsilon, queries] = numbersIn(
          new Json(file.file, 'expected', name),
          /^eps([\d.]+)_q(\d+)$/,
        ) as [number, number]
        return { name, expected, epsilon, queries }
      })
      for (const epsilon of new Set(parsed.map((one) => one.epsilon))) {
        const due = parsed.filter((one) => one.epsilon === epsilon)
        const options = {
          epsilon,
          norm: norm.toLowerCase() as SquareOptions['norm'],
          firstShare: argument(call, 'p_init'),
          variant: 'autoattack',
        } as const
        // The library counts steps; the picture it starts with comes before the first.
        const most = Math.max(...due.map(({ queries }) => queries)) + 1
        const runs: number[][] = []
        for (const seed of seeds)
          runs.push(await successes(model, file, pack, { ...options, maxQueries: most }, seed))
        for (const { name, expected, queries } of due) {
          const found = runs.map((asked) => asked.filter((one) => one <= queries + 1))
          const share = expected.get('success_rate')
          yield within(
            `${norm} ${id} ${name} success`,
            meanOf(found.map((asked) => asked.length / count)),
            share.get('mean').number(),
            Math.max(shares, deviations * share.get('std').number()),
          )
          while (found.flat().length < enoughSuccesses && found.length < mostRuns) {
            const seed = seeds.at(-1)! + 1 + found.length
            found.push(await successes(model, file, pack, { ...options, maxQueries: queries + 1 }, seed))
          }
          const mean = expected.get('mean_queries_successful').get('mean').number()
          const measured = meanOf(found.filter((asked) => asked.length > 0).map(meanOf))
          yield within(`${norm} ${id} ${name} queries`, measured, mean, (percent / 100) * mean)
        }
      }
    }
}

/** The queries of each image that one run misleads. */
async function successes(
  model: Model,
  file: Json,
  pack: Pack,
  options: Partial<SquareOptions>,
  seed: number,
): Promise<number[]> {
  const rows = await evaluationRows(file, pack)
  const x = tensorFor(model, rows, file.get('inputs'))
  const oracle = scoreOracle(model, new QueryLedger())
  const criterion = { kind: 'misclassification', labels: rows.labels } as const
  const { adversarial, queries } = await square(oracle, x, criterion, options, { seed })
  const read = await model.predict(adversarial)
  x.dispose()
  adversarial.dispose()
  return [...queries!].filter((_, i) => read[i] !== rows.labels[i])
}
