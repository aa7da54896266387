import type { NumberParameter } from '../attacks/attack.ts'
import type { Collided } from '../engine/methods/collide.ts'
import type { Task } from '../grading/grader.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=collision-bench checkpoint=collided epsilon=0.1 steps=40 count=12}`. */
export interface CollisionSetup {
  checkpoint: string
  /** Where the knobs stand at first. */
  epsilon: number
  steps: number
  count: number
  neighbours: number
}

const number = (text: string | undefined, fallback: number) => {
  const value = Number(text)
  return text !== undefined && Number.isFinite(value) && value >= 0 ? value : fallback
}

export function readCollisionSetup(props: Record<string, string>): CollisionSetup {
  const { checkpoint = '', epsilon, steps, count, neighbours } = props
  return {
    checkpoint,
    epsilon: number(epsilon, 0.1),
    steps: Math.round(number(steps, 40)),
    count: Math.round(number(count, 12)),
    neighbours: Math.max(1, Math.round(number(neighbours, 30))),
  }
}

export type CollisionKnob = 'epsilon' | 'steps' | 'count' | 'neighbours'

/** The knobs; `uploads` is how many pictures the attacker has. */
export function collisionKnobs(uploads: number): Record<CollisionKnob, NumberParameter> {
  const knob = (own: Omit<NumberParameter, 'kind' | 'scale'>): NumberParameter => ({
    kind: 'number',
    scale: 'linear',
    ...own,
  })
  return {
    epsilon: knob({
      name: 'epsilon',
      label: 'Largest change',
      symbol: 'ε',
      help: 'How far a value of a picture may move.',
      min: 0,
      max: 0.4,
      step: 0.01,
      unit: '',
    }),
    steps: knob({
      name: 'steps',
      label: 'Steps',
      help: 'How many gradients are followed.',
      min: 5,
      max: 120,
      step: 5,
      unit: '',
    }),
    count: knob({
      name: 'count',
      label: 'Poisons',
      help: 'How many of your pictures become poison.',
      min: 0,
      max: uploads,
      step: 1,
      unit: 'pictures',
    }),
    neighbours: knob({
      name: 'neighbours',
      label: 'Neighbours asked',
      symbol: 'k',
      help: 'By deep k-NN, a filter that drops a picture when its neighbours in the features carry another label.',
      min: 3,
      max: 80,
      step: 1,
      unit: '',
    }),
  }
}

/** One run of the bench, with the knobs as they stood. */
export interface Collision extends Collided {
  number: number
  settings: Settings
}

type Settings = Record<CollisionKnob, number>

const kept = 6

/** What came of a run, in a sentence. `name` says a class. */
export function collisionWords({ left, after, filter }: Collided, name: (label: number) => string): string {
  const near = Number.isFinite(left)
    ? `${Math.round(100 * left)} % of the distance in the features is left`
    : 'No picture was changed'
  return `${near}. The target is read as ${name(after.read)}; behind deep k-NN, which drops ${filter.caught} of the poisons and ${(100 * filter.lost).toFixed(1)} % of the honest pictures, as ${name(filter.reading.read)}.`
}

/** The collision bench: pull one's own pictures onto a target in the features, and see what the victim makes of it. */
export class CollisionBench {
  task: Task | undefined = $state.raw()
  /** One's own pictures and the target before anything is changed. */
  start: Collided | undefined = $state.raw()
  /** The latest first. */
  runs: readonly Collision[] = $state.raw([])
  trouble = $state('')
  opening = $state(false)
  /** Of the opening, 0 to 1. */
  progress = $state(0)
  #count = 0
  #seed = -1
  #abort: AbortController | undefined

  readonly checkpoint: CheckpointSpec | undefined = $derived.by(() =>
    this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint),
  )
  readonly uploads = $derived.by(() => Number(this.task?.values.uploads ?? this.setup.count))
  readonly knobs = $derived.by(() => collisionKnobs(this.uploads))
  readonly epsilon = $derived.by(() => this.#knob('epsilon'))
  readonly steps = $derived.by(() => this.#knob('steps'))
  readonly count = $derived.by(() => this.#knob('count'))
  readonly neighbours = $derived.by(() => this.#knob('neighbours'))
  readonly latest = $derived.by(() => this.runs[0])
  /** A run with the knobs as they stand, not handed in yet. */
  readonly fresh = $derived.by(
    () =>
      this.latest !== undefined &&
      this.latest.settings.epsilon === this.epsilon &&
      this.latest.settings.steps === this.steps &&
      this.latest.settings.count === this.count &&
      !this.session.record.attempts.some(
        ({ checkpoint, artefact }) =>
          checkpoint === this.setup.checkpoint &&
          artefact.kind === 'change-list' &&
          sameValues(artefact.values, this.latest!.values),
      ),
  )

  constructor(
    readonly session: LabSession,
    readonly setup: CollisionSetup,
  ) {}

  #knob(name: CollisionKnob): number {
    return this.session.knob(`${this.#scope}.${name}`, this.setup[name])
  }

  get #scope(): string {
    return `collision@${this.setup.checkpoint}/${this.setup.epsilon}`
  }

  set(name: CollisionKnob, value: number): void {
    this.session.setKnob(`${this.#scope}.${name}`, value)
  }

  /** Looks at this variant's pictures as they are, once. Never throws. */
  async open(): Promise<void> {
    const { checkpoint, session } = this
    if (!checkpoint || this.opening || (this.start && this.#seed === session.seed)) return
    const { signal } = (this.#abort = new AbortController())
    const { seed } = session
    this.opening = true
    this.trouble = ''
    this.progress = 0
    try {
      const task = await session.task(checkpoint.id, signal)
      const asTheyAre = {
        ...this.#settings,
        count: Number(task.values.uploads ?? this.setup.count),
        epsilon: 0,
      }
      const start = await this.#ask(task, asTheyAre, signal, (done, total) => (this.progress = done / total))
      this.#seed = seed
      this.task = task
      this.start = start
      this.runs = []
    } catch (error) {
      if (!signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.opening = false
      this.#abort = undefined
    }
  }

  cancel(): void {
    this.#abort?.abort()
  }

  /** Makes the poison and fits the victims, under the run bar. */
  async collide(): Promise<void> {
    const { task } = this
    if (!task) return
    const settings = this.#settings
    await this.session.work('Pulling the pictures together', async ({ signal, progress }) => {
      const made = await this.#ask(task, settings, signal, (done, total) =>
        progress(Math.round(100 * done), Math.round(100 * total)),
      )
      this.runs = [{ ...made, number: ++this.#count, settings }, ...this.runs].slice(0, kept)
      return true
    })
  }

  get #settings(): Settings {
    const { epsilon, steps, count, neighbours } = this
    return { epsilon, steps, count, neighbours }
  }

  #ask(
    task: Task,
    settings: Settings,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<Collided> {
    return this.session.engine.call(
      'collide',
      { task, ...settings },
      { signal, onProgress },
    ) as Promise<Collided>
  }

  async handIn(): Promise<void> {
    const { checkpoint, latest, task } = this
    if (!checkpoint || !latest || !task) return
    const labels = new Map(task.ids.map((id, i) => [id, task.labels[i]!]))
    await this.session.handIn(
      checkpoint.id,
      {
        kind: 'change-list',
        ids: [...latest.ids],
        labels: latest.ids.map((id) => labels.get(id)!),
        values: Float32Array.from(latest.values),
      },
      { 'knobs.json': `${JSON.stringify(latest.settings, null, 2)}\n` },
    )
  }
}

const sameValues = (a: Float32Array | undefined, b: Float32Array) =>
  a !== undefined && a.length === b.length && a.every((value, i) => value === b[i])
