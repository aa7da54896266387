import type { CallContext } from './protocol.ts'
import type { Workshop } from './workshop.ts'

/**
 * One thing a worker can be asked to do. Each file in src/engine/methods/ exports one as `method`;
 * workers find them by glob, the page imports only the *type*:
 *
 *   import type { method as attackImages } from '../engine/methods/attack-images.ts'
 *   const result = await engine.call<typeof attackImages>('attack-images', params)
 */
export interface Method<P, R> {
  /** Equal to the file name. */
  name: string
  /** Which worker answers: the engine (chosen backend), the referee (WASM), or both. */
  runsOn: readonly ('engine' | 'referee')[]
  run(params: P, context: CallContext, workshop: Workshop): Promise<R>
  /**
   * Every other method starts on a running backend, and again on the next one when the device is lost.
   * One that changes the workshop itself (chooses a backend, opens a run) sets this and is run once.
   */
  own?: boolean
  /** Typed arrays in the result worth transferring instead of copying. */
  transfer?(result: R): Transferable[]
}

export const defineMethod = <P, R>(method: Method<P, R>): Method<P, R> => method

export type ParamsOf<M> = M extends Method<infer P, unknown> ? P : never
export type ResultOf<M> =
  M extends Method<never, infer R> ? R : M extends { run(...a: never[]): Promise<infer R> } ? R : never
