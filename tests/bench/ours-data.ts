import * as tf from '../../src/core/tf.ts'
import type { DataSet, Split } from '../../src/data/data-set.ts'
import { digits, labels } from './inputs.ts'

/** The digits of `inputs.ts` as a data set, for work that draws its own rows. */
export function dataOfDigits(train: number, test: number): DataSet {
  const split = (count: number): Split => {
    const [all, truth] = [digits(count), Uint8Array.from(labels(count))]
    const rows = (ids: ArrayLike<number>) => {
      const values = new Float32Array(784 * ids.length)
      for (let i = 0; i < ids.length; i++)
        values.set(all.subarray(784 * ids[i]!, 784 * (ids[i]! + 1)), 784 * i)
      return values
    }
    return {
      count,
      labels: truth,
      pixels: rows,
      images: (ids) => tf.tensor(rows(ids), [ids.length, 28, 28, 1]),
    }
  }
  return {
    name: 'digits',
    noun: 'digit',
    shape: [28, 28, 1],
    classes: Array.from({ length: 10 }, (_, label) => String(label)),
    train: split(train),
    test: split(test),
  }
}
