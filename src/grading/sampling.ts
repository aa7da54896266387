import { createRng } from '../core/rng.ts'
import type { DataSet } from '../data/data-set.ts'
import type { Model } from '../models/model.ts'

export interface SampleRequest {
  model: Model
  dataset: DataSet
  split: 'train' | 'test'
  /** Same seed, same images. */
  seed: number
  count: number
  /** Labels that may be drawn; all by default. */
  accept?: (label: number) => boolean
}

const block = 128

/**
 * Images that the model reads correctly, drawn by the seed: an image that is misread anyway would count
 * as fooled without an attack. Reads only as many as it takes.
 * Throws RangeError when the split does not hold enough of them.
 */
export async function correctlyRead(request: SampleRequest): Promise<{ ids: number[]; labels: number[] }> {
  const { model, count, accept = () => true } = request
  const split = request.dataset[request.split]
  const order = createRng(request.seed, 'sample').shuffle(Array.from({ length: split.count }, (_, i) => i))
  const candidates = order.filter((id) => accept(split.labels[id]!))
  const ids: number[] = []
  for (let at = 0; at < candidates.length && ids.length < count; at += block) {
    const some = candidates.slice(at, at + block)
    const x = split.images(some)
    try {
      const read = await model.predict(x)
      ids.push(...some.filter((id, i) => read[i] === split.labels[id]))
    } finally {
      x.dispose()
    }
  }
  if (ids.length < count) {
    throw new RangeError(
      `correctlyRead: ${count} images of ${request.dataset.name}/${request.split} are needed and ${ids.length} are read correctly`,
    )
  }
  ids.length = count
  return { ids, labels: ids.map((id) => split.labels[id]!) }
}
