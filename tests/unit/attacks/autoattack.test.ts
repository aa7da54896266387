import { expect, test } from 'vitest'
import type { Options } from '../../../src/attacks/attack.ts'
import { autoattack, entry } from '../../../src/attacks/evasion/autoattack.ts'
import type { WhiteBoxAccess } from '../../../src/core/classifier.ts'
import * as tf from '../../../src/core/tf.ts'
import { defended } from '../../../src/defences/defended.ts'
import type { StageSpec } from '../../../src/defences/stage.ts'
import { attackContract, attackRows, away } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { epsilon: 0.15, norm: 'linf', steps: 2, queries: 3 },
    moves: {
      epsilon: { to: 0.3 },
      norm: { to: 'l2', beside: { epsilon: 0.6 } },
      steps: { to: 6, beside: { epsilon: 0.1 } },
      queries: 'in a test of its own',
    },
    staysWithin: 0,
  },
  () => {
    const options = { epsilon: 0.3, norm: 'linf', steps: 4, queries: 30 } as const
    /** Four classes, each its own number: z = 20 x. */
    const four = () => linearModel(4, 4, [20, 0, 0, 0, 0, 20, 0, 0, 0, 0, 20, 0, 0, 0, 0, 20])
    const rows = [
      [0.8, 0.3, 0.1, 0.1],
      [1, 0.1, 0.1, 0.1],
    ]
    const run = async (victim: WhiteBoxAccess, given: Options = {}) => {
      const x = tf.tensor(rows)
      const result = await autoattack(victim, x, away(0, 0), { ...options, ...given }, { seed: 1 })
      const raised = result.flags.filter((flag) => flag.raised).map(({ id }) => id)
      const standing = result.trace.map(({ values }) => values.standing)
      const adversarial = (await result.adversarial.array()) as number[][]
      tf.dispose([x, result.adversarial])
      return { raised, standing, adversarial, flags: result.flags }
    }

    test('the trace tells how many stand before and after each part, and a clean evaluation raises no flag', async () => {
      const victim = four()
      const { raised, standing, adversarial } = await run(victim)
      expect(standing).toEqual([1, 0.5, 0.5, 0.5, 0.5])
      expect(raised).toEqual([])
      expect(adversarial[0]![1]).toBeGreaterThan(adversarial[0]![0]!)
      expect(adversarial[1]).toEqual([...Float32Array.from(rows[1]!)])
      victim.dispose()
    })

    /** The victim with stages around it, as an access to rows of four numbers. */
    const behind = (victim: ReturnType<typeof four>, ...specs: StageSpec[]) => defended(victim, specs, 3)

    test('a staircase raises zero gradients, an attack no better than chance, and Square beating all gradients', async () => {
      const victim = four()
      const stairs = behind(victim, { id: 'bit-depth', levels: 11 })
      const { raised, standing } = await run(stairs, { queries: 200 })
      expect(raised).toContain('zero-gradient')
      expect(raised).toContain('no-better-than-random')
      expect(raised).toContain('black-box-wins')
      expect(standing).toEqual([1, 1, 1, 1, 0.5])
      // With a single question Square sees its first stripes and no more.
      expect((await run(stairs, { queries: 1 })).standing).toEqual([1, 1, 1, 1, 1])
      victim.dispose()
    })

    test('probabilities given as logits are told', async () => {
      const victim = four()
      const { raised, flags } = await run(behind(victim, { id: 'probabilities' }))
      expect(raised).toContain('probabilities')
      expect(flags.find(({ id }) => id === 'probabilities')!.measured).toBe(1)
      victim.dispose()
    })

    test('a model that answers otherwise when asked again is told', async () => {
      const victim = four()
      let calls = 0
      const fickle: WhiteBoxAccess = {
        ...victim,
        inputShape: victim.inputShape,
        logits: async (x) => {
          const logits = await victim.logits(x)
          const moved = tf.add(logits, calls++ % 2)
          logits.dispose()
          return moved
        },
      }
      expect((await run(fickle)).raised).toContain('random-output')
      victim.dispose()
    })

    test('scores a hundred times as large change nothing: DLR, FAB and Square do not care', async () => {
      const victim = four()
      const { standing } = await run(behind(victim, { id: 'scaled-logits', factor: 100 }))
      expect(standing.at(-1)).toBe(0.5)
      victim.dispose()
    })

    test('with two classes targeted DLR is left out and the others still run', async () => {
      const two = linearModel(2, 2, [1, 0, 0, 1])
      const [row] = await attackRows(entry, two, [[0.6, 0.4]], away(0), options)
      expect(row![1]).toBeGreaterThan(row![0]!)
      two.dispose()
    })

    test.each<[Options, RegExp]>([
      [{ epsilon: -0.1 }, /autoattack: epsilon must be at least 0; got -0\.1/],
      [{ steps: 0 }, /autoattack: steps must be a whole number of at least 1; got 0/],
      [{ queries: 0.5 }, /autoattack: queries must be a whole number of at least 1; got 0\.5/],
    ])('refuses %o', async (given, message) => {
      const victim = four()
      await expect(attackRows(entry, victim, rows, away(0, 0), { ...options, ...given })).rejects.toThrow(
        message,
      )
      victim.dispose()
    })
  },
)
