import { expect, test } from 'vitest'
import type { EvasionEntry, Options } from '../../../src/attacks/attack.ts'
import { entry, transfer } from '../../../src/attacks/evasion/transfer.ts'
import type { DecisionOracle, WhiteBoxAccess } from '../../../src/core/classifier.ts'
import type { Criterion } from '../../../src/core/criteria.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { decisionOracle } from '../../../src/core/oracle.ts'
import { createRng } from '../../../src/core/rng.ts'
import type { RunContext } from '../../../src/core/run.ts'
import * as tf from '../../../src/core/tf.ts'
import { createModel } from '../../../src/models/network.ts'
import { attackContract, away } from './contract.ts'
import { linearModel } from './linear.ts'

/** A model of the attacker's own, of any size, with bends in it so that one step is not as good as many. */
const surrogateFor = ({ inputShape, numClasses }: DecisionOracle) => {
  const inputs = inputShape.reduce((product, n) => product * n, 1)
  const rng = createRng(5, 'surrogate')
  const values = (size: number) => Float32Array.from({ length: size }, () => rng.normal())
  return createModel(
    {
      name: 'surrogate',
      inputShape: [...inputShape],
      numClasses,
      bounds: [0, 1],
      classes: Array.from({ length: numClasses }, (_, i) => String(i)),
      layers: [
        { type: 'dense', units: 16, activation: 'relu' },
        { type: 'dense', units: numClasses },
      ],
    },
    [
      { name: 'dense1/kernel', shape: [inputs, 16], values: values(inputs * 16) },
      { name: 'dense1/bias', shape: [16], values: values(16) },
      { name: 'dense2/kernel', shape: [16, numClasses], values: values(16 * numClasses) },
      { name: 'dense2/bias', shape: [numClasses], values: values(numClasses) },
    ],
  )
}

/** The entry with a surrogate, which no option can bring. */
const withSurrogate = {
  ...entry,
  run: async (
    oracle: DecisionOracle,
    x: tf.Tensor,
    criterion: Criterion,
    options: Options,
    run: RunContext,
  ) => {
    if (x.shape.length > 0 && oracle.numClasses < 2) return transfer(oracle, x, criterion, options, run)
    const surrogate = surrogateFor(oracle)
    try {
      return await transfer(oracle, x, criterion, { ...options, surrogate }, run)
    } finally {
      surrogate.dispose()
    }
  },
} as EvasionEntry

attackContract(
  {
    entry: withSurrogate,
    quick: { epsilon: 0.2, tries: 3, steps: 3 },
    moves: {
      epsilon: { to: 0.1 },
      tries: { to: 1, beside: { epsilon: 1 } },
      steps: { to: 1, beside: { decay: 0 } },
      decay: { to: 0, beside: { steps: 6 } },
    },
    wanders: true,
  },
  () => {
    const run = async (surrogate: WhiteBoxAccess | undefined, options: Options, maxQueries?: number) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      const ledger = new QueryLedger(maxQueries)
      const x = tf.tensor([
        [0.6, 0.4],
        [0.95, 0.1],
      ])
      try {
        const result = await transfer(
          decisionOracle(victim, ledger),
          x,
          away(0, 0),
          { ...options, ...(surrogate && { surrogate }) },
          { seed: 1 },
        )
        const rows = (await result.adversarial.array()) as number[][]
        result.adversarial.dispose()
        return { ...result, rows, used: ledger.used }
      } finally {
        x.dispose()
        victim.dispose()
      }
    }

    test('shows the weakest first and stops at the first that carries over', async () => {
      const surrogate = linearModel(2, 2, [2, 0.5, 0.5, 2])
      const { rows, queries, trace } = await run(surrogate, { epsilon: 0.3, tries: 3, steps: 5 })
      surrogate.dispose()
      // (0.6, 0.4) is read otherwise from a change of 0.1 on: 0.1 may be a tie, 0.2 is enough.
      expect([...queries!]).toEqual([2, 3])
      expect(rows[0]![0]).toBeCloseTo(0.4, 5)
      expect(rows[0]![1]).toBeCloseTo(0.6, 5)
      // Not even 0.3 moves the second row across; it comes back as the strongest.
      expect(rows[1]![0]).toBeCloseTo(0.65, 5)
      expect(trace.at(-1)!.values).toMatchObject({ found: 0.5, queries: 2.5 })
    })

    test('a surrogate that learned the opposite carries nothing over', async () => {
      const surrogate = linearModel(2, 2, [0, 1, 1, 0])
      const { trace } = await run(surrogate, { epsilon: 0.3, tries: 3, steps: 5 })
      surrogate.dispose()
      expect(trace.at(-1)!.values.found).toBe(0)
    })

    test("keeps what was shown when the oracle's own budget is spent in the middle", async () => {
      const surrogate = linearModel(2, 2, [2, 0.5, 0.5, 2])
      const { queries, used } = await run(surrogate, { epsilon: 0.3, tries: 3, steps: 5 }, 3)
      surrogate.dispose()
      expect([...queries!]).toEqual([1, 1])
      expect(used).toBe(2)
    })

    test.each<[string, () => WhiteBoxAccess | undefined, RegExp]>([
      ['no surrogate', () => undefined, /transfer: needs a surrogate/],
      [
        'a surrogate of another size',
        () => linearModel(3, 2, [1, 0, 0, 1, 0, 0]),
        /the surrogate must read \(2\) into 2 classes like the victim; got \(3\) into 2/,
      ],
    ])('refuses %s', async (_, make, message) => {
      const surrogate = make()
      await expect(run(surrogate, {})).rejects.toThrow(message)
      ;(surrogate as { dispose?(): void } | undefined)?.dispose?.()
    })
  },
)
