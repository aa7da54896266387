import type { Split } from '../data/data-set.ts'
import type { Model } from './model.ts'

/** Share of `ids` (all by default) that the model reads as labelled, 0 to 1. */
export async function accuracy(model: Model, split: Split, ids?: ArrayLike<number>): Promise<number> {
  const chosen = ids ?? allOf(split)
  const read = await readImages(model, split, chosen)
  return read.filter((label, i) => label === split.labels[chosen[i]!]).length / chosen.length
}

/** How many of each class are read right. */
export async function recallByClass(
  model: Model,
  split: Split,
): Promise<{ name: string; right: number; count: number }[]> {
  const read = await readImages(model, split, allOf(split))
  const classes = model.architecture.classes.map((name) => ({ name, right: 0, count: 0 }))
  for (const [i, label] of split.labels.entries()) {
    classes[label]!.count++
    if (read[i] === label) classes[label]!.right++
  }
  return classes
}

const allOf = (split: Split) => Int32Array.from({ length: split.count }, (_, i) => i)

/** Top class of each image, a few hundred images at a time, so that a whole split needs little memory. */
async function readImages(model: Model, split: Split, ids: ArrayLike<number>): Promise<Int32Array> {
  const read = new Int32Array(ids.length)
  for (let from = 0; from < ids.length; from += 500) {
    const x = split.images(Array.prototype.slice.call(ids, from, from + 500) as number[])
    try {
      read.set(await model.predict(x), from)
    } finally {
      x.dispose()
    }
  }
  return read
}
