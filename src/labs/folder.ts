import type { Guide } from './guide.ts'
import type { Manifest } from './manifest.ts'

/** What a learner does with knobs, as data: an engine method and its params, to which the seed is added. */
export interface KnobRun {
  method: string
  params: Record<string, unknown>
}

/** A typical wrong answer, and the finding it must get. */
export type Mistake = { file: string; finding: string; checkpoint: string } & (
  { text: string } | { knobs: KnobRun }
)

/** Everything in a lab's folder, and what is wrong with it without running anything. */
export interface LabFolder {
  slug: string
  manifest?: Manifest
  guide?: Guide
  /** Texts by file name. */
  starter: Record<string, string>
  solution: Record<string, string>
  /** solution/knobs.json: checkpoint → run. */
  knobs: Record<string, KnobRun>
  mistakes: Mistake[]
  /** Sentences with file: what, expected, got, next. */
  problems: string[]
}
