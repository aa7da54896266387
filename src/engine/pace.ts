import { nextTask, now } from '../core/platform.ts'
import { throwIfCancelled } from '../core/run.ts'

/** Longest stretch of work between two looks at the messages: a cancel is heard well within 200 ms. */
const stretchMs = 40

/**
 * Call the result between batches: it lets waiting messages in when the last pause is long enough ago,
 * and throws `cancelled` once the caller has asked to stop.
 */
export function createPace(signal: AbortSignal): () => Promise<void> {
  let paused = now()
  return async () => {
    if (now() - paused > stretchMs) {
      await nextTask()
      paused = now()
    }
    throwIfCancelled({ seed: 0, signal })
  }
}
