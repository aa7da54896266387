import { applyTrigger } from '../attacks/trigger.ts'
import type { RecoveredTriggers } from '../engine/methods/recover-triggers.ts'
import type { Task } from '../grading/grader.ts'
import type { LabSession } from './lab-session.svelte.ts'

/** What the directive says: `::widget{kind=neural-cleanse checkpoint=swept steps=300}`. */
export interface RecoverySetup {
  checkpoint: string
  steps: number
}

export function readRecoverySetup({ checkpoint = '', steps }: Record<string, string>): RecoverySetup {
  return { checkpoint, steps: Math.max(1, Math.min(1000, Math.floor(Number(steps) || 300))) }
}

const recoveryOf = ['victim', 'control'] as const
export type RecoveryOf = (typeof recoveryOf)[number]
type Found = Readonly<Partial<Record<RecoveryOf, RecoveredTriggers>>>

/** One class in the table: the size of its smallest trigger in both models. */
export interface ClassSizes {
  label: number
  victim: number | undefined
  control: number | undefined
  index: number | undefined
}

/** Neural Cleanse on a checkpoint's victim, and on a model that learned the same rows before anybody touched them. */
export class TriggerRecovery {
  task: Task | undefined = $state.raw()
  /** What was found, by the steps that it took: figures of searches of different length do not compare. */
  #kept: Readonly<Record<number, Found>> = $state.raw({})
  /** Sizes that have come in while a search is under way, by class. */
  arriving: readonly number[] = $state.raw([])
  steps = $state(0)
  #seed = $state(-1)

  readonly checkpoint = $derived.by(() =>
    this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint),
  )
  /** In both models, with the steps as the knob stands. */
  readonly found: Found = $derived.by(() =>
    this.#seed === this.session.seed ? (this.#kept[this.steps] ?? {}) : {},
  )
  /** The model to search next: the suspect before the clean one, and neither twice. */
  readonly next: RecoveryOf | undefined = $derived.by(() => recoveryOf.find((of) => !this.found[of]))
  readonly rows: readonly ClassSizes[] = $derived.by(() => {
    const { victim, control } = this.found
    return ((victim ?? control)?.classes ?? []).map((_, label) => ({
      label,
      victim: victim?.triggers[label]!.l1,
      control: control?.triggers[label]!.l1,
      index: victim?.indices[label],
    }))
  })

  /** The trigger that the variant planted, on grey. */
  readonly trueTrigger: Float32Array | undefined = $derived.by(() => {
    const { shape } = this.found.victim ?? {}
    const trigger = this.task?.tampered?.trigger
    return shape && trigger && applyTrigger(grey(shape), shape, trigger)
  })

  constructor(
    readonly session: LabSession,
    readonly setup: RecoverySetup,
  ) {
    this.steps = setup.steps
  }

  /** Searches every class of one of the two models, under the run bar. */
  async search(of: RecoveryOf): Promise<void> {
    const { checkpoint, session, steps } = this
    if (!checkpoint) return
    const { seed } = session
    this.arriving = []
    const name = of === 'victim' ? 'the suspect' : 'a clean model'
    await session.work(`Neural Cleanse on ${name}`, async ({ signal, progress }) => {
      const task = await session.task(checkpoint.id, signal)
      const found = (await session.engine.call(
        'recover-triggers',
        { task, of, steps },
        {
          signal,
          onProgress: (done, total, values) => {
            progress(done, total)
            if (values?.l1 !== undefined) this.arriving = [...this.arriving, values.l1]
          },
        },
      )) as RecoveredTriggers
      const before = this.#seed === seed ? this.#kept : {}
      this.task = task
      this.#seed = seed
      this.#kept = { ...before, [steps]: { ...before[steps], [of]: found } }
      return true
    })
    this.arriving = []
  }
}

const grey = (shape: readonly number[]) =>
  new Float32Array(shape.reduce((product, n) => product * n, 1)).fill(0.5)

/** A mask and its pattern as one picture: what it would make of plain grey. */
export function triggerOnGrey(
  mask: ArrayLike<number>,
  pattern: ArrayLike<number>,
  shape: readonly number[],
): Float32Array {
  const channels = shape.at(-1)!
  return grey(shape).map((below, k) => {
    const covered = mask[Math.floor(k / channels)]!
    return (1 - covered) * below + covered * pattern[k]!
  })
}

/** The class whose patch is smallest against that of the clean model; nothing before both were searched. */
export function mostShrunk(rows: readonly ClassSizes[]): ClassSizes | undefined {
  const share = ({ victim, control }: ClassSizes) =>
    victim === undefined || control === undefined ? Infinity : victim / Math.max(control, 1e-9)
  const least = [...rows].sort((a, b) => share(a) - share(b))[0]
  return least && share(least) < Infinity ? least : undefined
}
