import { onePixel } from '../../../attacks/evasion/one-pixel.ts'
import { QueryLedger } from '../../../core/ledger.ts'
import { scoreOracle } from '../../../core/oracle.ts'
import { evaluationRows, meanOf, numbersIn, seedsOf, within } from '../aggregates.ts'
import { tensorFor } from '../pack.ts'
import type { Verify } from '../verify.ts'

/**
 * Share of successes over the file's seeds, and for one pixel never more than one image above what an exhaustive
 * search can do.
 */
export const verify: Verify = async function* (file, pack) {
  const [shares, deviations, images] = numbersIn(
    file.get('tolerance'),
    /success \+-([\d.]+) or ([\d.]+) std; .*exhaustive bound by more than (\d+) image/,
  ) as [number, number, number]
  const rows = await evaluationRows(file, pack)
  for (const [id, cases] of file.get('expected').entries()) {
    const model = await pack.model(id)
    const bound = cases.get('exhaustive_one_pixel_17_values_success_rate').number()
    for (const [name, expected] of cases.entries()) {
      const parts = /^pixels(\d+)_steps(\d+)_pop(\d+)$/.exec(name)
      if (!parts) continue
      const [pixels, generations, population] = parts.slice(1).map(Number) as [number, number, number]
      const found = []
      for (const seed of seedsOf(file)) {
        const x = tensorFor(model, rows, file.get('inputs'))
        const oracle = scoreOracle(model, new QueryLedger())
        const criterion = { kind: 'misclassification', labels: rows.labels } as const
        const options = { pixels, generations, population }
        const { adversarial } = await onePixel(oracle, x, criterion, options, { seed })
        const read = await model.predict(adversarial)
        found.push(rows.labels.filter((label, i) => read[i] !== label).length / rows.count)
        x.dispose()
        adversarial.dispose()
      }
      const share = expected.get('success_rate')
      yield within(
        `${id} ${name} success`,
        meanOf(found),
        share.get('mean').number(),
        Math.max(shares, deviations * share.get('std').number()),
      )
      if (pixels === 1)
        yield within(`${id} ${name} at most exhaustive`, Math.max(...found), bound, images / rows.count, {
          lowerIsBetter: true,
        })
    }
  }
}
