import type { AttackImagesResult } from '../engine/methods/attack-images.ts'
import type { ImagesResult } from '../engine/methods/images.ts'
import type { Slice } from '../engine/methods/slice.ts'
import { firstOfEach } from './attack-bench.svelte.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=boundary-slice corners="deepfool ddn"}`. */
export interface SliceSetup {
  model: string
  /** Checkpoint whose model is drawn instead of the shipped one. */
  weightsFrom?: string
  /** Checkpoint whose images are offered; the first of adversarial examples when left out. */
  checkpoint?: string
  /** Two attacks, whose results on the chosen image are the other two corners. */
  attacks: [string, string]
  /** Points along each side. */
  size: number
}

export function readSliceSetup(props: Record<string, string>): SliceSetup {
  const [second = 'deepfool', third = 'ddn'] = (props.corners ?? '').split(/[\s,]+/).filter(Boolean)
  return {
    model: props.model ?? 'digits-cnn',
    ...(props.victim && props.victim !== 'shipped' ? { weightsFrom: props.victim } : {}),
    ...(props.checkpoint ? { checkpoint: props.checkpoint } : {}),
    attacks: [second, third],
    size: Math.max(8, Math.min(256, Math.floor(Number(props.size) || 61))),
  }
}

/** Through which images: the results of two attacks, or two other samples. */
export type Through = 'attacks' | 'digits'

export interface Sample {
  pixels: Float32Array
  /** (height, width, channels). */
  shape: number[]
  label: number
}

/** One of the three images that span the plane. */
export interface Corner {
  name: string
  place: readonly [right: number, up: number]
  read: number
  /** Distance from the first, L2. */
  distance: number
}

export interface Plane {
  corners: Corner[]
  slice: Slice
  /** Share of the plane of each class that occurs in it, largest first. */
  shares: { class: number; share: number }[]
}

const pickerSize = 8

/** The plane through a digit and two other images, and which class the model reads where in it. */
export class BoundarySlice {
  samples: Sample[] = $state.raw([])
  chosen = $state(0)
  through: Through = $state('attacks')
  plane: Plane | undefined = $state.raw()
  running = $state(false)
  progress = $state(0)
  trouble = $state('')
  #abort: AbortController | undefined
  #titles = new Map<string, string>()

  readonly source = $derived.by(() =>
    this.session.checkpoints.find(({ id, artefact }) =>
      this.setup.checkpoint ? id === this.setup.checkpoint : artefact === 'adversarial-examples',
    ),
  )

  constructor(
    readonly session: LabSession,
    readonly setup: SliceSetup,
  ) {}

  /** Loads one sample of each class of the variant in use, and draws the first. Never throws. */
  async open(): Promise<void> {
    if (!this.source) return
    try {
      const list = (await this.session.engine.call('attacks', {})) as { id: string; title: string }[]
      this.#titles = new Map(list.map(({ id, title }) => [id, title]))
      const task = await this.session.task(this.source.id)
      const ids = firstOfEach(task.labels, pickerSize).map((row) => task.ids[row]!)
      const { pixels, shape, labels } = (await this.session.referee.call('images', {
        dataset: task.dataset,
        split: task.split,
        ids,
      })) as ImagesResult
      const size = pixels.length / ids.length
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

  setThrough(through: Through): void {
    this.through = through
    void this.draw()
  }

  /** Computes the plane of the chosen digit; one under way gives way to it. What was drawn stays until then. Never throws. */
  async draw(): Promise<void> {
    const sample = this.samples[this.chosen]
    if (!sample) return
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    this.running = true
    this.progress = 0
    this.trouble = ''
    try {
      const others = this.through === 'digits' ? this.#neighbours() : []
      if (this.through === 'attacks')
        for (const attack of this.setup.attacks)
          others.push(await this.#attacked(attack, sample, abort.signal))
      const pixels = new Float32Array(3 * sample.pixels.length)
      ;[sample, ...others].forEach((image, i) => pixels.set(image.pixels, i * sample.pixels.length))
      const slice = (await this.session.engine.call(
        'slice',
        { model: this.#model, pixels, shape: [3, ...sample.shape], size: this.setup.size },
        {
          signal: abort.signal,
          onProgress: (done, total) => {
            this.progress = done / total
          },
        },
      )) as Slice
      if (this.#abort === abort)
        this.plane = planeOf(slice, [`the ${sample.label} itself`, ...others.map(({ name }) => name)])
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

  get #model() {
    const { model, weightsFrom } = this.setup
    const weights = weightsFrom ? this.session.weightsOf(weightsFrom) : undefined
    return { model, ...(weights ? { weights } : {}) }
  }

  /** The next two samples. */
  #neighbours(): { name: string; pixels: Float32Array }[] {
    return [1, 2].map((step) => {
      const { label, pixels } = this.samples[(this.chosen + step) % this.samples.length]!
      return { name: `another digit, a ${label}`, pixels }
    })
  }

  async #attacked(
    attack: string,
    sample: Sample,
    signal: AbortSignal,
  ): Promise<{ name: string; pixels: Float32Array }> {
    const title = this.#titles.get(attack)
    if (!title)
      throw new Error(`This app has no attack "${attack}"; it has ${[...this.#titles.keys()].join(', ')}.`)
    const { adversarial } = (await this.session.engine.call(
      'attack-images',
      {
        model: this.#model,
        images: { pixels: sample.pixels.slice(), shape: [1, ...sample.shape], labels: [sample.label] },
        attack,
        options: {},
        seed: 0,
      },
      { signal },
    )) as AttackImagesResult
    return { name: title, pixels: adversarial }
  }
}

export function planeOf(slice: Slice, names: readonly string[]): Plane {
  const counts = new Map<number, number>()
  for (const read of slice.read) counts.set(read, (counts.get(read) ?? 0) + 1)
  return {
    slice,
    corners: slice.points.map((place, i) => ({
      name: names[i] ?? '',
      place,
      read: slice.readAt[i]!,
      distance: Math.hypot(...place),
    })),
    shares: [...counts]
      .map(([label, count]) => ({ class: label, share: count / slice.read.length }))
      .sort((a, b) => b.share - a.share || a.class - b.class),
  }
}

/** Equal neighbours of each row of the grid joined, so that a picture of regions is a few hundred pieces. */
export interface Stretch {
  row: number
  from: number
  length: number
  class: number
}

export function stretchesOf({ read, size }: Pick<Slice, 'read' | 'size'>): Stretch[] {
  const stretches: Stretch[] = []
  for (let row = 0; row < size; row++) {
    for (let from = 0; from < size;) {
      const label = read[row * size + from]!
      let to = from + 1
      while (to < size && read[row * size + to] === label) to++
      stretches.push({ row, from, length: to - from, class: label })
      from = to
    }
  }
  return stretches
}

/** Where a class's name is written: inside the middle of its longest stretch. */
export function labelPlace(
  stretches: readonly Stretch[],
  label: number,
): { row: number; column: number } | undefined {
  const own = stretches.filter((stretch) => stretch.class === label)
  if (own.length === 0) return undefined
  const longest = Math.max(...own.map(({ length }) => length))
  const wide = own.filter(({ length }) => length >= 0.8 * longest)
  const { row, from, length } = wide[Math.floor(wide.length / 2)]!
  return { row, column: from + length / 2 }
}
