import { universal, type UniversalOptions } from '../../../attacks/evasion/universal.ts'
import { argument, evaluationRows, meanOf, seedsOf } from '../aggregates.ts'
import { PackError } from '../json.ts'
import { tensorFor } from '../pack.ts'
import type { Verify } from '../verify.ts'

/**
 * Share of the images that one change fools, mean over the file's seeds. The file calls its figures a lower bound, very
 * noisy between seeds: ours must reach the mean, and be above that of random changes of the same size.
 */
export const verify: Verify = async function* (file, pack) {
  const call = file.get('call')
  const steps = /attacker='deepfool', attacker_params=\{max_iter:(\d+)\}/.exec(call.text())?.[1]
  if (!steps) throw new PackError(`${call.where}: expected DeepFool's max_iter; got "${call.text()}"`)
  const rows = await evaluationRows(file, pack)
  for (const [id, cases] of file.get('expected').entries()) {
    const model = await pack.model(id)
    for (const [name, expected] of cases.entries()) {
      const [, norm, epsilon] = /^(linf|l2)_eps([\d.]+)$/.exec(name) ?? []
      if (!norm) throw new PackError(`${expected.where}: expected a case named norm_eps; got "${name}"`)
      const options: Partial<UniversalOptions> = {
        norm: norm as UniversalOptions['norm'],
        epsilon: Number(epsilon),
        share: 1 - argument(call, 'delta'),
        passes: argument(call, 'max_iter'),
        steps: Number(steps),
      }
      const shares: number[] = []
      for (const seed of seedsOf(file)) {
        const x = tensorFor(model, rows, file.get('inputs'))
        const before = await model.predict(x)
        const criterion = { kind: 'misclassification', labels: before } as const
        const { adversarial } = await universal(model, x, criterion, options, { seed })
        const read = await model.predict(adversarial)
        shares.push(meanOf(Array.from(read, (label, i) => Number(label !== before[i]))))
        x.dispose()
        adversarial.dispose()
      }
      const got = meanOf(shares)
      const least = expected.get('fooling_rate').get('mean').number()
      const random = expected.get('random_direction_fooling_rate').get('mean').number()
      const ok = got >= least && got > random
      yield {
        name: `${id} ${name}`,
        worst: Math.max(0, least - got),
        tolerance: 0,
        ok,
        ...(!ok && {
          note: `at least ${least.toFixed(3)} in the file, ${random.toFixed(3)} at random; here ${got.toFixed(3)}`,
        }),
      }
    }
  }
}
