import type { DefenceFigures } from '../defences/evaluate.ts'
import type { StageSpec } from '../defences/stage.ts'
import type { ImagesResult } from '../engine/methods/images.ts'
import type { Landscape } from '../engine/methods/landscape.ts'
import type { Task } from '../grading/grader.ts'
import { firstOfEach } from './attack-bench.svelte.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** A model with stages around it, as a directive words it. */
export interface Product {
  name: string
  stages: StageSpec[]
}

/** What the directive says: `::widget{kind=loss-landscape products="Bare | Rounded: bit-depth levels=4"}`. */
export interface LandscapeSetup {
  model: string
  /** Checkpoint whose images are offered; the first of adversarial examples when left out. */
  checkpoint?: string
  products: Product[]
  /** L∞, of the slice and of the attacks. */
  epsilon: number
  /** Images behind the figures of an evaluation. */
  images: number
}

export function readLandscapeSetup(props: Record<string, string>): LandscapeSetup {
  return {
    model: props.model ?? 'digits-cnn',
    ...(props.checkpoint ? { checkpoint: props.checkpoint } : {}),
    products: (props.products ?? 'The network').split('|').map(readProduct),
    epsilon: Number(props.epsilon) || 0.25,
    images: Math.max(1, Math.floor(Number(props.images) || 30)),
  }
}

/** `Rounded and shrunk: bit-depth levels=4 + resize-pad` is a name and two stages. */
function readProduct(said: string): Product {
  const [name = '', stages = ''] = said.split(':')
  return {
    name: name.trim(),
    stages: stages
      .split('+')
      .map((stage) => stage.trim())
      .filter(Boolean)
      .map((stage) => {
        const [id = '', ...options] = stage.split(/\s+/)
        const pairs = options.map((option) => option.split('='))
        return { id, ...Object.fromEntries(pairs.map(([key, value]) => [key, Number(value)])) }
      }),
  }
}

export interface Sample {
  pixels: Float32Array
  /** (height, width, channels). */
  shape: number[]
  label: number
}

const pickerSize = 8
const slicePoints = 121
/** Looks at each point or image where a product may answer by chance. */
const looks = 4
const attackSteps = 20

/**
 * The loss around one image along two directions, for one of several products; and for each product the figures of
 * an evaluation, with its signs. One slice is computed at a time, and a newer wish takes its place.
 */
export class LossLandscape {
  samples: Sample[] = $state.raw([])
  chosen = $state(0)
  product = $state(0)
  slice: Landscape | undefined = $state.raw()
  /** Whose slice is drawn. */
  drawn: { sample: Sample; product: Product } | undefined = $state.raw()
  running = $state(false)
  progress = $state(0)
  trouble = $state('')
  /** Figures of a product by its name. */
  figures: Record<string, DefenceFigures> = $state.raw({})
  #task: Task | undefined
  #opened = ''
  #abort: AbortController | undefined

  readonly source = $derived.by(() =>
    this.session.checkpoints.find(({ id, artefact }) =>
      this.setup.checkpoint ? id === this.setup.checkpoint : artefact === 'adversarial-examples',
    ),
  )
  readonly current = $derived.by(() => this.setup.products[this.product] ?? this.setup.products[0]!)

  constructor(
    readonly session: LabSession,
    readonly setup: LandscapeSetup,
  ) {}

  /** Loads one image of each class of the variant in use, and draws the first. Never throws. */
  async open(): Promise<void> {
    if (!this.source) return
    const key = `${this.source.id} ${this.session.seed}`
    if (this.#opened === key && this.slice) return
    try {
      const task = await this.session.task(this.source.id)
      const ids = firstOfEach(task.labels, pickerSize).map((row) => task.ids[row]!)
      const wanted = { dataset: task.dataset, split: task.split, ids }
      const { pixels, shape, labels } = (await this.session.referee.call('images', wanted)) as ImagesResult
      const size = pixels.length / ids.length
      if (this.#opened !== key) this.figures = {}
      this.#opened = key
      this.#task = task
      this.samples = labels.map((label, i) => ({
        pixels: pixels.slice(i * size, (i + 1) * size),
        shape: shape.slice(1),
        label,
      }))
      this.chosen = Math.min(this.chosen, this.samples.length - 1)
      await this.draw()
    } catch (error) {
      this.trouble = sentenceOf(error)
    }
  }

  choose(index: number): void {
    this.chosen = index
    void this.draw()
  }

  setProduct(index: number): void {
    this.product = index
    void this.draw()
  }

  /** Computes the slice; one under way gives way to it. What was drawn stays until then. Never throws. */
  async draw(): Promise<void> {
    const sample = this.samples[this.chosen]
    const product = this.current
    if (!sample) return
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    this.running = true
    this.progress = 0
    this.trouble = ''
    try {
      const params = {
        model: { model: this.setup.model, defence: product.stages },
        pixels: sample.pixels.slice(),
        shape: [1, ...sample.shape],
        label: sample.label,
        reach: this.setup.epsilon,
        points: slicePoints,
        looks: product.stages.length > 0 ? looks : 1,
        seed: 0,
      }
      const slice = (await this.session.engine.call('landscape', params, {
        signal: abort.signal,
        onProgress: (done, total) => {
          this.progress = done / total
        },
      })) as Landscape
      if (this.#abort === abort) {
        this.slice = slice
        this.drawn = { sample, product }
      }
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      if (this.#abort === abort) {
        this.running = false
        this.#abort = undefined
      }
    }
  }

  cancel(): void {
    this.#abort?.abort()
  }

  /** Attacks the product in hand both ways, in the run bar. Never throws. */
  async evaluate(): Promise<void> {
    const product = this.current
    await this.session.work('Evaluation', async ({ signal, progress }) => {
      const task = (this.#task ??= await this.session.task(this.source!.id, signal))
      const params = {
        model: { model: this.setup.model },
        defence: product.stages,
        dataset: task.dataset,
        split: task.split,
        ids: task.ids.slice(0, this.setup.images),
        epsilon: this.setup.epsilon,
        steps: attackSteps,
        looks: product.stages.length > 0 ? looks : 1,
        seed: this.session.seed,
      }
      const found = (await this.session.engine.call('evaluate-defence', params, {
        signal,
        onProgress: progress,
      })) as DefenceFigures
      this.figures = { ...this.figures, [product.name]: found }
      return true
    })
  }
}

/** What the slice shows, in words. */
export function landscapeSentence(
  { at, alongGradient, alongRandom, flat, read }: Landscape,
  label: number,
): string {
  const middle = (at.length - 1) / 2
  const turn = [...read.keys()].find((i) => i > middle && read[i] !== label)
  const figure = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2))
  const last = at.length - 1
  return [
    `Along the slope the loss goes from ${figure(alongGradient[middle]!)} at the digit to ${figure(alongGradient[last]!)} at ${at[last]!.toFixed(2)}; along a random direction to ${figure(alongRandom[last]!)}.`,
    turn === undefined
      ? `It is read as ${label} all the way.`
      : `From ${at[turn]!.toFixed(2)} on it is no longer read as ${label}.`,
    flat === 0
      ? 'The gradient is 0 at none of these points.'
      : `The gradient is exactly 0 at ${flat === 1 ? 'every one' : `${Math.max(1, Math.round(100 * flat))} %`} of these points.`,
  ].join(' ')
}
