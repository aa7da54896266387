import type { NumberParameter } from '../attacks/attack.ts'
import {
  drawPlacements,
  straight,
  type Placement,
  type PlacementRange,
  type Spot,
} from '../core/placement.ts'
import { createRng } from '../core/rng.ts'
import type { ImagesResult } from '../engine/methods/images.ts'
import type { PastedSticker } from '../engine/methods/paste-sticker.ts'
import type { TrainedSticker } from '../engine/methods/train-sticker.ts'
import type { Task } from '../grading/grader.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import { bestAttempt } from '../grading/records.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=sticker-bench model=signs-cnn checkpoint=sticker}`. */
export interface StickerSetup {
  model: string
  checkpoint: string
  /** The checkpoint whose model is attacked; the shipped model when left out. */
  weightsFrom: string | undefined
}

export function readStickerSetup(props: Record<string, string>): StickerSetup {
  const { model = 'signs-cnn', checkpoint = 'sticker', victim = 'shipped' } = props
  return { model, checkpoint, weightsFrom: victim === 'shipped' ? undefined : victim }
}

/** Stickers to try: three that nobody trained, one that the knobs paint, the one handed in best so far. */
export type StickerKind = 'white' | 'random' | 'printed' | 'painted' | 'handed-in'

const knob = (
  own: Omit<NumberParameter, 'kind' | 'scale' | 'help'> & { help?: string },
): NumberParameter => ({
  kind: 'number',
  scale: 'linear',
  help: '',
  ...own,
})

/** How one sticker is laid; the last is the painting's own. */
export const placementKnobs = [
  knob({ name: 'right', label: 'To the right', min: -10, max: 10, step: 0.5, unit: 'px' }),
  knob({ name: 'down', label: 'Downwards', min: -10, max: 10, step: 0.5, unit: 'px' }),
  knob({ name: 'rotation', label: 'Turned', min: -90, max: 90, step: 5, unit: '°' }),
  knob({ name: 'scale', label: 'Size', min: 0.5, max: 1.6, step: 0.05, unit: '×' }),
  knob({ name: 'light', label: 'Light', min: 0.4, max: 1.6, step: 0.05, unit: '×' }),
] as const
export const stepsKnob = knob({
  name: 'steps',
  label: 'Painting steps',
  min: 10,
  max: 120,
  step: 10,
  unit: '',
  help: 'Each pastes the sticker on sixteen photographs, each in a way of its own, and repaints it a little.',
})

/** The task's range times each of these is what the curve is measured on. */
export const curveFactors = [0, 0.5, 1, 1.5, 2, 2.5] as const
const curveViews = 60
const shownPhotographs = 6

export interface Curve {
  /** What was measured: the sticker and the model. */
  key: string
  /** Share read as the target and as what it is, by factor. */
  points: { factor: number; hits: number; truth: number }[]
}

/** The sticker bench: one sticker, laid on a photograph by hand or painted by the attack, read live. */
export class StickerBench {
  task: Task | undefined = $state.raw()
  classes: readonly string[] = $state.raw([])
  noun = $state('image')
  photographs: Float32Array[] = $state.raw([])
  shape: readonly number[] = $state.raw([32, 32, 3])
  chosen = $state(0)
  kind: StickerKind = $state('white')
  painted: { pixels: Float32Array; loss: [number, number][] } | undefined = $state.raw()
  view: { pixels: Float32Array; logits: Float32Array; read: number; bare: Float32Array } | undefined =
    $state.raw()
  curve: Curve | undefined = $state.raw()
  measuring = $state(false)
  trouble = $state('')
  #wanted = 0
  #busy = false
  /** The variant whose task is open. */
  #opened: number | undefined
  #abort: AbortController | undefined

  constructor(
    readonly session: LabSession,
    readonly setup: StickerSetup,
  ) {}

  readonly checkpoint: CheckpointSpec | undefined = $derived.by(() =>
    this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint),
  )
  readonly ready = $derived.by(
    () => !this.setup.weightsFrom || this.session.weightsOf(this.setup.weightsFrom) !== undefined,
  )
  readonly steps = $derived.by(() => this.session.knob(`${this.#scope}.steps`, 60))
  readonly target = $derived.by(() => Number(this.task?.values.target ?? 0))
  readonly side = $derived.by(() => Number(this.task?.values.side ?? 9))
  readonly spot: Spot = $derived.by(() => ({
    right: Number(this.task?.values.right ?? 0),
    down: Number(this.task?.values.down ?? 0),
  }))
  readonly range: PlacementRange = $derived.by(() => {
    const { rotation = 0, scale = 0, shift = 0, light = 0 } = this.task?.values ?? {}
    return { rotation: Number(rotation), scale: Number(scale), shift: Number(shift), light: Number(light) }
  })
  /** The sticker handed in best, when there is one of this size. */
  readonly handedIn: Float32Array | undefined = $derived.by(() => {
    const best = bestAttempt(this.session.record.attempts, this.setup.checkpoint)
    const artefact = best?.artefact
    return artefact?.kind === 'adversarial-examples' && artefact.shape[1] === this.side
      ? artefact.pixels
      : undefined
  })
  readonly kinds: readonly { value: StickerKind; label: string }[] = $derived.by(() => [
    { value: 'white', label: 'White' },
    { value: 'random', label: 'Random' },
    { value: 'printed', label: 'Printed' },
    ...(this.painted ? [{ value: 'painted' as const, label: 'Painted' }] : []),
    ...(this.handedIn ? [{ value: 'handed-in' as const, label: 'Handed in' }] : []),
  ])
  readonly sticker: Float32Array = $derived.by(() => {
    const size = this.side * this.side * 3
    if (this.kind === 'painted' && this.painted) return this.painted.pixels
    if (this.kind === 'handed-in' && this.handedIn) return this.handedIn
    if (this.kind === 'random') {
      const rng = createRng(this.session.seed, 'random sticker')
      return Float32Array.from({ length: size }, () => rng.uniform())
    }
    if (this.kind === 'printed' && this.#printed) return shrunk(this.#printed, this.shape, this.side)
    return new Float32Array(size).fill(1)
  })
  /** A picture of the target, to be printed small. */
  #printed: Float32Array | undefined = $state.raw()

  get #scope() {
    return `sticker.${this.setup.checkpoint}`
  }
  get #model() {
    const from = this.setup.weightsFrom
    const weights = from ? this.session.weightsOf(from) : undefined
    return weights ? { model: this.setup.model, weights } : { model: this.setup.model }
  }

  placed(name: keyof Placement): number {
    return this.session.knob(`${this.#scope}.${name}`, straight(this.spot)[name])
  }
  place(name: keyof Placement, value: number): void {
    this.session.setKnob(`${this.#scope}.${name}`, value)
  }
  setSteps(steps: number): void {
    this.session.setKnob(`${this.#scope}.steps`, steps)
  }
  readonly placement: Placement = $derived.by(() => ({
    rotation: this.placed('rotation'),
    scale: this.placed('scale'),
    right: this.placed('right'),
    down: this.placed('down'),
    light: this.placed('light'),
  }))

  /** Throws a placement of the task's range. */
  throwAgain(): void {
    const rng = createRng(this.session.seed, `throw ${Math.floor(performance.now())}`)
    const [drawn] = drawPlacements(1, this.range, rng, this.spot)
    for (const { name, step } of placementKnobs)
      this.place(name as keyof Placement, Math.round(drawn![name as keyof Placement] / step) * step)
  }
  straighten(): void {
    for (const [name, value] of Object.entries(straight(this.spot)))
      this.place(name as keyof Placement, value)
  }

  /** Loads the task of this variant and its photographs. Never throws. */
  async open(): Promise<void> {
    if (!this.ready) return
    const { seed } = this.session
    try {
      const task = await this.session.task(this.setup.checkpoint)
      const ids = task.ids.slice(0, shownPhotographs)
      const images = (await this.session.referee.call('images', {
        dataset: task.dataset,
        split: task.split,
        ids,
      })) as ImagesResult
      const target = Number(task.values.target)
      // Classes come in turn, so the first pictures of a split hold each of them.
      const first = Array.from({ length: images.classes.length }, (_, i) => i)
      const each = (await this.session.referee.call('images', {
        dataset: task.dataset,
        split: task.split,
        ids: first,
      })) as ImagesResult
      if (this.session.seed !== seed) return
      const size = images.pixels.length / ids.length
      const cut = (all: Float32Array, i: number) => all.slice(i * size, (i + 1) * size)
      this.classes = images.classes
      this.noun = images.noun
      this.shape = images.shape.slice(1)
      this.photographs = ids.map((_, i) => cut(images.pixels, i))
      const at = each.labels.indexOf(target)
      this.#printed = at < 0 ? undefined : cut(each.pixels, at)
      // Another variant has another target: what was painted for the one before is nothing to hand in here.
      if (this.#opened !== undefined && this.#opened !== seed) {
        this.painted = undefined
        if (this.kind === 'painted') this.kind = 'white'
      }
      this.#opened = seed
      this.task = task
      this.trouble = ''
      this.curve = undefined
    } catch (error) {
      this.trouble = sentenceOf(error)
    }
  }

  /** Reads the photograph again; while one reading is under way, only the latest wish is kept. */
  refresh(): void {
    this.#wanted++
    if (!this.#busy) void this.#follow()
  }

  async #follow(): Promise<void> {
    this.#busy = true
    try {
      for (let answered = -1; answered !== this.#wanted;) {
        answered = this.#wanted
        const { task, placement, chosen } = this
        if (!task || !this.ready) break
        const away = { ...placement, right: 10 * this.shape[1]! }
        const id = task.ids[chosen]!
        const { pixels, logits, read } = (await this.session.engine.call('paste-sticker', {
          model: this.#model,
          images: { dataset: task.dataset, split: task.split, ids: [id, id] },
          sticker: this.sticker.slice(),
          stickerShape: [this.side, this.side, 3],
          placements: [{ ...placement }, away],
        })) as PastedSticker
        const classes = logits.length / 2
        this.view = {
          pixels: pixels.slice(0, pixels.length / 2),
          logits: logits.slice(0, classes),
          bare: logits.slice(classes),
          read: read[0]!,
        }
        this.trouble = ''
      }
    } catch (error) {
      this.trouble = sentenceOf(error)
    } finally {
      this.#busy = false
    }
  }

  /** What a curve belongs to: another sticker, size or model makes it an old one. */
  readonly curveKey = $derived.by(() => `${this.session.seed}/${this.kind}/${this.painted?.loss.length ?? 0}`)

  /** How often the sticker works, from straight to two and a half times the task's range. */
  async measure(): Promise<void> {
    const { task, range, spot } = this
    if (!task || this.measuring) return
    const key = this.curveKey
    const abort = new AbortController()
    this.#abort = abort
    this.measuring = true
    try {
      const points: Curve['points'] = []
      for (const factor of curveFactors) {
        const wide = {
          rotation: range.rotation * factor,
          scale: range.scale * factor,
          shift: range.shift * factor,
          light: range.light * factor,
        }
        const rng = createRng(this.session.seed, `views ${factor}`)
        const placements = drawPlacements(curveViews, wide, rng, spot)
        const ids = placements.map((_, i) => task.ids[i % task.ids.length]!)
        const { read } = (await this.session.engine.call(
          'paste-sticker',
          {
            model: this.#model,
            images: { dataset: task.dataset, split: task.split, ids },
            sticker: this.sticker.slice(),
            stickerShape: [this.side, this.side, 3],
            placements,
          },
          { signal: abort.signal },
        )) as PastedSticker
        const share = (label: number) =>
          read.reduce((sum, one) => sum + (one === label ? 1 : 0), 0) / read.length
        points.push({ factor, hits: share(this.target), truth: share(task.labels[0]!) })
        this.curve = { key, points: [...points] }
      }
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.measuring = false
      this.#abort = undefined
    }
  }

  cancel(): void {
    this.#abort?.abort()
  }

  /** What the attack is asked to paint: the task's own size, spot and ranges. */
  async #paint(
    task: Task,
    signal: AbortSignal,
    progress: (done: number, total: number, values?: Record<string, number>) => void,
  ): Promise<Float32Array> {
    const loss: [number, number][] = []
    const made = (await this.session.engine.call(
      'train-sticker',
      {
        model: this.#model,
        images: { dataset: task.dataset, split: task.split, ids: task.ids },
        target: this.target,
        options: {
          side: this.side,
          steps: this.steps,
          batch: 16,
          stepSize: 0.2,
          ...this.range,
          ...this.spot,
        },
        seed: this.session.seed,
      },
      { signal, onProgress: progress },
    )) as TrainedSticker
    for (const { step, values } of made.trace) loss.push([step, values.loss!])
    this.painted = { pixels: made.adversarial, loss }
    this.kind = 'painted'
    return made.adversarial
  }

  /** Paints a sticker under the run bar and shows it; nothing is handed in. */
  async paint(): Promise<void> {
    const task = this.task
    if (!task) return
    await this.session.work('Painting a sticker', async ({ signal, progress }) => {
      await this.#paint(task, signal, progress)
      return true
    })
    this.refresh()
    await this.measure()
  }

  /** Paints one when none is painted yet, and hands it in. */
  async handIn(): Promise<void> {
    const checkpoint = this.checkpoint
    if (!checkpoint) return
    await this.session.makeAndHandIn(checkpoint.id, 'Painting a sticker', async ({ signal, progress }) => {
      const task = await this.session.task(checkpoint.id, signal)
      const pixels = this.painted?.pixels ?? (await this.#paint(task, signal, progress))
      return {
        artefact: {
          kind: 'adversarial-examples',
          ids: [...task.handIn!.ids],
          shape: [1, this.side, this.side, 3],
          pixels,
        },
        files: {},
      }
    })
  }
}

/** A picture averaged down to side × side. */
export function shrunk(picture: Float32Array, shape: readonly number[], side: number): Float32Array {
  const [height = 0, width = 0, channels = 0] = shape
  const small = new Float32Array(side * side * channels)
  const counts = new Float32Array(side * side)
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const at = Math.floor((row * side) / height) * side + Math.floor((column * side) / width)
      counts[at]! += 1
      for (let channel = 0; channel < channels; channel++)
        small[at * channels + channel]! += picture[(row * width + column) * channels + channel]!
    }
  return small.map((sum, i) => sum / counts[Math.floor(i / channels)]!)
}
