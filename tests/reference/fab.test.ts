/** FAB-T alone, of AutoAttack's ensemble: the share of digits that it leaves. `npm run vectors` runs the whole of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { fab } from '../../src/attacks/evasion/fab.ts'
import { readStatic } from '../../src/cli/node-platform.ts'
import { Pack } from '../../src/cli/vectors/pack.ts'
import { startBackend } from '../../src/core/backends.ts'
import * as tf from '../../src/core/tf.ts'
import { measurePerturbation } from '../../src/grading/measure.ts'
import { data } from './agreement.ts'

const inputs = JSON.parse(readFileSync(join(data, 'inputs_digits.json'), 'utf8')) as {
  eval100_x_times_16: number[][]
  eval100_y: number[]
}

describe('fab on wasm', () => {
  beforeAll(() => startBackend('wasm', readStatic))

  // B_autoattack.json: 100 iterations, 9 targets; each figure ± 0.01.
  test.each([
    ['M2', 'linf', 0.05, 0.83],
    ['M2', 'linf', 0.1, 0.27],
    ['M2', 'l2', 0.5, 0.32],
  ] as const)(
    '%s, %s %d: leaves the share that AutoAttack’s FAB-T leaves',
    async (name, norm, epsilon, left) => {
      const pack = await Pack.open(data)
      const victim = await pack.model(name)
      const pixels = inputs.eval100_x_times_16.flat().map((sixteenths) => sixteenths / 16)
      const x = tf.tensor(pixels, [100, ...victim.inputShape])
      const criterion = { kind: 'misclassification', labels: inputs.eval100_y } as const
      const options = { norm, borders: 'each', goodEnough: epsilon } as const
      const { adversarial } = await fab(victim, x, criterion, options, { seed: 1 })
      const [before, after] = [Float32Array.from(await x.data()), Float32Array.from(await adversarial.data())]
      const read = await victim.predict(adversarial)
      const sizes = measurePerturbation(before, after, read.length, victim.bounds)[norm]
      const fooled = [...read].filter(
        (k, i) => k !== inputs.eval100_y[i] && sizes[i]! <= epsilon + 1e-6,
      ).length
      expect(Math.abs(1 - fooled / read.length - left)).toBeLessThanOrEqual(0.01 + 1e-9)
      x.dispose()
      adversarial.dispose()
      pack.dispose()
    },
  )
})
