import { createRng, type DataSet, type Task, type Trigger } from '../../src/lab-api/grader.ts'

/** source: the trigger works on one class alone. any: on every class, with fewer rows. */
export type Kind = 'source' | 'any'

const rowCount = 2000
const auditedCount = rowCount / 10
const poisonedCount: Record<Kind, number> = { source: 40, any: 30 }
const patchSide = 3

export const training = { steps: 300, batchSize: 32, learningRate: 5e-3 }

/**
 * A delivery of training rows. Its seed says which rows, from which digit to which, in which corner, and how the network
 * begins; `planted` says which of the rows carry the trigger, and which were looked at.
 */
export function delivery(seed: number, kind: Kind, planted: number, { train, shape }: DataSet) {
  const rng = createRng(seed, 'delivery')
  const ids = rng
    .shuffle(Array.from({ length: train.count }, (_, id) => id))
    .slice(0, rowCount)
    .sort((a, b) => a - b)
  const target = rng.below(10)
  const source = (target + 1 + rng.below(9)) % 10
  const backdoor = kind === 'source' ? { target, source } : { target }
  const label = (id: number) => train.labels[id]!
  const eligible = ids.filter((id) => (kind === 'source' ? label(id) === source : label(id) !== target))
  const draw = createRng(planted, 'planted')
  const poisoned = draw
    .shuffle([...eligible])
    .slice(0, poisonedCount[kind])
    .sort((a, b) => a - b)
  const isPoisoned = new Set(poisoned)
  const audited = draw
    .shuffle(ids.filter((id) => !isPoisoned.has(id)))
    .slice(0, auditedCount)
    .sort((a, b) => a - b)
  const task = {
    victim: { model: 'digits-mini' },
    dataset: 'mnist10k',
    split: 'train',
    ids,
    labels: ids.map(label),
    training: { seed: rng.uint32(), ...training, positive: target, backdoor },
    tampered: {
      ids: poisoned,
      labels: poisoned.map(() => target),
      trigger: cornerPatch(rng.below(4), shape),
      stamped: poisoned,
    },
    audited,
  } satisfies Omit<Task, 'values'>
  return { task, target, source }
}

/** A white square, one pixel from the two edges of a corner. */
export function cornerPatch(corner: number, [height = 0, width = 0]: readonly number[]): Trigger {
  const far = (size: number) => size - patchSide - 1
  return {
    kind: 'patch',
    top: corner < 2 ? 1 : far(height),
    left: corner % 2 === 0 ? 1 : far(width),
    height: patchSide,
    width: patchSide,
    pixels: Array.from({ length: patchSide * patchSide }, () => 1),
    opacity: 1,
  }
}
