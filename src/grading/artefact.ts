import type { PoisonList } from '../attacks/poison-list.ts'

/**
 * What a learner hands in, as plain bytes and JSON. Always untrusted: `parseArtefact` (validate.ts)
 * builds a fresh object from own properties and checks shape, dtype, ids, finiteness and size.
 * Range is *not* checked there: leaving [0, 1] is a graded row.
 */
export type Artefact =
  | {
      kind: 'adversarial-examples'
      /** Indices of the originals, in the order of the task. */
      ids: number[]
      /** (N, …inputShape). */
      shape: number[]
      pixels: Float32Array
    }
  | {
      kind: 'model-weights'
      /** Name of the architecture the weights belong to. */
      model: string
      tensors: { name: string; shape: number[]; values: Float32Array }[]
    }
  | {
      kind: 'scores'
      /** Indices of the images that the numbers are about, in the order of the task. */
      ids: number[]
      /** One number an image in each, in the order of the task's `columns`. */
      columns: { name: string; values: Float32Array }[]
    }
  | ({
      /** What is to be changed in the task's training rows. The referee makes the changes and trains the victim itself. */
      kind: 'change-list'
    } & PoisonList)
  | {
      kind: 'answer'
      /** Quiz id → chosen option ids. */
      choices: Record<string, string[]>
    }

/** `model` of weights that a program hands in itself, of a model of its own. */
export const surrogateName = 'surrogate'

export type ArtefactKind = Artefact['kind']

/** How an attempt came about; a course may require `code`. */
export type ArtefactSource = 'code' | 'explore'

/** What the engine's ledger says of a run; counted outside the sandbox. */
export type { LedgerSummary } from '../core/ledger.ts'
