/**
 * Trainings that can be told to end early and hand over what they have. A cancelled call answers at once and
 * its result is gone; a finished one keeps the weights trained so far.
 */
const open = new Set<AbortController>()

/** Runs `train` with a signal that `finishAll` sets. */
export async function finishable<T>(train: (finish: AbortSignal) => Promise<T>): Promise<T> {
  const control = new AbortController()
  open.add(control)
  try {
    return await train(control.signal)
  } finally {
    open.delete(control)
  }
}

/** Asks every open training to end after its present step; says how many there were. */
export function finishAll(): number {
  for (const control of open) control.abort()
  return open.size
}
