/**
 * lab.json, as the rest of the house sees it after validation (schema.ts holds the valibot schema these
 * types are inferred to agree with, and the published JSON Schema).
 */
export interface Manifest {
  id: string
  /** Semantic version: a bundle names the one it was made with. */
  version: string
  title: string
  summary: string
  track: string
  /** Position in the track. */
  order: number
  level: 'introductory' | 'intermediate' | 'advanced'
  minutes: number
  objectives: string[]
  outOfScope: string[]
  /** Labs worth doing first; never locks. */
  requires: string[]
  papers: { cite: string; title: string; url: string }[]
  /** Ids looked up in labs/frameworks.json, by framework. */
  frameworks: Record<string, string[]>
  /** Folders in static/, e.g. "data/mnist10k", "models/digits-cnn"; checked by sha256. */
  assets: string[]
  sandbox: SandboxSpec
  /** Words: what the seed changes. */
  variant: string
  checkpoints: CheckpointSpec[]
}

export interface SandboxSpec {
  /** Capabilities granted: victim, inner, scores, decisions, trainer, surrogate, data, retrain, recommend, filters, log. */
  access: string[]
  /** Rows the ledger answers before it refuses. */
  maxQueries: number
  /** Deadline of one run. */
  seconds: number
}

export interface CheckpointSpec {
  id: string
  title: string
  /** The step of the guide it belongs to. */
  step: StepId
  /** Where its artefact may come from; `quiz` answers come from the page. */
  accepts: ('code' | 'explore' | 'quiz')[]
  artefact: 'adversarial-examples' | 'model-weights' | 'scores' | 'change-list' | 'answer'
  points: number
  /** What differs from the lab's `sandbox` in this checkpoint: another access, a budget of its own. */
  sandbox?: Partial<SandboxSpec>
  /** Learner-editable file and the read-only program that calls it, both in starter/. Absent for quiz and explore-only. */
  program?: { file: string; main: string }
  /** What is needed, in words, listed beside the checkpoint before the first attempt. */
  needs: { name: string; value: string }[]
  /** The ladder: nudge, pointer, worked line. Markdown-free sentences; the last may be code. */
  hints: { kind: 'nudge' | 'pointer' | 'worked-line'; text: string }[]
}

/** What a program of this checkpoint is allowed. */
export const sandboxOf = (
  manifest: Pick<Manifest, 'sandbox'>,
  checkpoint: Pick<CheckpointSpec, 'sandbox'> | undefined,
): SandboxSpec => ({ ...manifest.sandbox, ...checkpoint?.sandbox })

/** Whether a program may have trained a model in the engine, rather than hands in one of its own making. */
export const trains = ({ access }: Pick<SandboxSpec, 'access'>): boolean =>
  access.includes('trainer') || access.includes('surrogate')

export const steps = ['story', 'explore', 'code', 'checkpoint', 'defend', 'reattack'] as const
export type StepId = (typeof steps)[number]
export const stepTitles: Record<StepId, string> = {
  story: 'Story',
  explore: 'Explore',
  code: 'Code',
  checkpoint: 'Checkpoint',
  defend: 'Defend',
  reattack: 'Re-attack',
}
