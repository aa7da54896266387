import type { Task } from '../grading/grader.ts'
import type { SessionDeps } from './lab-session.svelte.ts'

/**
 * A victim that is trained from a seed is trained once, on the referee, and the engine takes its weights: trained on another
 * backend it would be another model in a few answers. Sharing that fails costs only this: the engine trains its own.
 */
export async function shareVictim(
  { model, seed }: Task['victim'],
  { engine, referee }: Pick<SessionDeps, 'engine' | 'referee'>,
  signal?: AbortSignal,
): Promise<void> {
  if (seed === undefined) return
  try {
    if (await engine.call('adopt-seeded', { model, seed }, { signal })) return
    const weights = await referee.call('seeded-weights', { model, seed }, { signal })
    await engine.call('adopt-seeded', { model, seed, weights }, { signal })
  } catch (error) {
    if (signal?.aborted) throw error
  }
}
