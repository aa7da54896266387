import { pgd } from '../../../attacks/evasion/pgd.ts'
import type { Criterion } from '../../../core/criteria.ts'
import { argument, evaluationRows, meanOf, numbersIn, seedsOf, within } from '../aggregates.ts'
import { NotImplemented } from '../json.ts'
import { tensorFor } from '../pack.ts'
import type { Verify } from '../verify.ts'

/** Share of images that withstand PGD from a random point of the ball, over the file's seeds. */
export const verify: Verify = async function* (file, pack) {
  const call = file.get('call')
  if (!/random_start=True/.test(call.text())) throw new NotImplemented('a start at the image itself')
  const steps = argument(call, 'steps')
  const stepShare = argument(call, 'rel_stepsize')
  const [shares, deviations] = numbersIn(file.get('tolerance'), /\+-([\d.]+) absolute .*or ([\d.]+) std/) as [
    number,
    number,
  ]
  const rows = await evaluationRows(file, pack)
  const criterion: Criterion = { kind: 'misclassification', labels: rows.labels }
  for (const [norm, models] of file.get('expected').entries())
    for (const [id, strengths] of models.entries()) {
      const model = await pack.model(id)
      for (const [strength, expected] of strengths.entries()) {
        const epsilon = Number(strength)
        const options = {
          epsilon,
          norm: norm.toLowerCase() as 'linf' | 'l2',
          steps,
          stepSize: stepShare * epsilon,
          randomStart: true,
        }
        const standing: number[] = []
        for (const seed of seedsOf(file)) {
          const x = tensorFor(model, rows, file.get('inputs'))
          const { adversarial } = await pgd(model, x, criterion, options, { seed })
          const read = await model.predict(adversarial)
          x.dispose()
          adversarial.dispose()
          standing.push(read.filter((top, i) => top === rows.labels[i]).length / rows.count)
        }
        yield within(
          `${norm} ${id} eps ${strength}`,
          meanOf(standing),
          expected.get('mean').number(),
          Math.max(shares, deviations * expected.get('std').number()),
        )
      }
    }
}
