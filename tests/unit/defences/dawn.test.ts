import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { scoreOracle } from '../../../src/core/oracle.ts'
import { createRng } from '../../../src/core/rng.ts'
import { indexOfMax } from '../../../src/core/rows.ts'
import * as tf from '../../../src/core/tf.ts'
import { Dawn, markedOracle } from '../../../src/defences/watermark/dawn.ts'
import { ownershipTest } from '../../../src/defences/watermark/trigger-set.ts'
import { softmaxModel, watchTensors } from '../attacks/theft.ts'

const rule = { key: 'secret', share: 0.1, levels: 100 }
const inputs = (count: number, seed = 1) => {
  const rng = createRng(seed, 'inputs')
  return Array.from({ length: count }, () => Float32Array.from({ length: 4 }, () => rng.uniform()))
}
const sure = Float32Array.of(0.7, 0.2, 0.1)

describe('DAWN', () => {
  test('marks about its share of the rows, trades two probabilities, and keeps what it marked', () => {
    const dawn = new Dawn(rule)
    const wrong = inputs(2000).filter((input) => {
      const told = dawn.tell(input, sure)
      expect([...told].sort()).toEqual([...sure].sort())
      return indexOfMax(told) !== 0
    })
    expect(wrong.length).toBeGreaterThan(2000 * 0.07)
    expect(wrong.length).toBeLessThan(2000 * 0.13)
    const { labels, numClasses, chance, inputs: kept } = dawn.triggers()
    expect(kept).toHaveLength(4 * wrong.length)
    expect([numClasses, chance]).toEqual([3, 1 / 2])
    expect(new Set(labels)).toEqual(new Set([1, 2]))
  })

  test('answers the same row, and one that rounds to it, the same every time, and by its key alone', () => {
    const dawn = new Dawn({ ...rule, share: 0.5 })
    const rows = inputs(60).map((input) => input.map((value) => Math.round(value * 100) / 100))
    const first = rows.map((input) => dawn.tell(input, sure))
    expect(rows.map((input) => dawn.tell(input, sure))).toEqual(first)
    expect(
      rows.map((input) =>
        dawn.tell(
          input.map((value) => value + 0.001),
          sure,
        ),
      ),
    ).toEqual(first)
    const other = new Dawn({ ...rule, share: 0.5, key: 'another' })
    expect(rows.map((input) => other.tell(input, sure))).not.toEqual(first)
  })

  test('who repeats the answers is known, who answers by himself is not', () => {
    const dawn = new Dawn(rule)
    for (const input of inputs(500)) dawn.tell(input, sure)
    const { chance, ...triggers } = dawn.triggers()
    expect(ownershipTest(triggers.labels, triggers, chance).pValue).toBeLessThan(1e-10)
    expect(ownershipTest(new Uint8Array(triggers.labels.length), triggers, chance).pValue).toBe(1)
  })

  test.each([
    [{ ...rule, share: 2 }, /share must lie between 0 and 1; got 2/],
    [{ ...rule, share: NaN }, /share must lie between 0 and 1; got NaN/],
    [{ ...rule, levels: 0 }, /levels must be a whole number of at least 1; got 0/],
  ])('refuses %j', (wrong, message) => expect(() => new Dawn(wrong)).toThrow(message))
})

describe('an oracle whose answers are marked', () => {
  beforeAll(() => startBackend('cpu', readStatic))
  watchTensors()

  test('counts as before and changes the rows that DAWN changes', async () => {
    const model = softmaxModel(4, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0])
    const [plain, marked] = [new QueryLedger(), new QueryLedger()]
    const x = tf.tensor(
      inputs(200).flatMap((row) => [...row]),
      [200, 4],
    )
    const dawn = new Dawn(rule)
    const [before, after] = [
      await scoreOracle(model, plain).scores(x),
      await markedOracle(scoreOracle(model, marked), dawn).scores(x),
    ]
    const tops = async (scores: tf.Tensor) =>
      ((await scores.array()) as number[][]).map((row) => row.indexOf(Math.max(...row)))
    const [a, b] = [await tops(before), await tops(after)]
    expect(a.filter((top, i) => top !== b[i]).length).toBe(dawn.triggers().labels.length)
    expect(dawn.triggers().labels.length).toBeGreaterThan(5)
    expect(marked.summary()).toEqual(plain.summary())
    tf.dispose([x, before, after])
    model.dispose()
  })

  test('refuses a model of two classes', () => {
    const model = softmaxModel(1, [0, 1], [0, 0])
    expect(() => markedOracle(scoreOracle(model, new QueryLedger()), new Dawn(rule))).toThrow(
      /three classes.*got 2/,
    )
    model.dispose()
  })
})
