import type {
  AttackImagesParams,
  AttackImagesResult,
  method as attackImages,
} from '../engine/methods/attack-images.ts'
import type { method as predict, PredictParams, Prediction } from '../engine/methods/predict.ts'
import type { method as sweep, SweepParams, SweepPoint } from '../engine/methods/sweep.ts'
import { engine } from './engine.svelte.ts'

/** One picture read before and after one step of gradient; every figure belongs to this picture and ε. */
export interface HeroReading {
  pixels: Float32Array
  epsilon: number
  /** What the change is measured against: the sample's label, or what the reader made of a drawing. */
  truth: number
  delta: Float32Array
  adversarial: Float32Array
  before: Float32Array
  after: Float32Array
  readBefore: number
  readAfter: number
}

/** Where along ε the reading first changes. */
export type FirstFlip =
  { state: 'unknown' } | { state: 'searching' } | { state: 'none' } | { state: 'found'; epsilon: number }

/** The engine as the hero sees it; a test hands in its own. */
export interface HeroEngine {
  start(): Promise<unknown>
  predict(params: PredictParams): Promise<Prediction>
  attack(params: AttackImagesParams): Promise<AttackImagesResult>
  sweep(params: SweepParams, signal: AbortSignal): Promise<{ points: SweepPoint[] }>
}

export const heroScale = { min: 0, max: 0.3, step: 0.005, scale: 'linear' } as const
const model = 'digits-cnn'
const sweepAfterMs = 250

const thisEngine: HeroEngine = {
  start: () => engine.start(model),
  predict: (params) => engine.client.call<typeof predict>('predict', params),
  attack: (params) => engine.client.call<typeof attackImages>('attack-images', params),
  sweep: (params, signal) => engine.client.call<typeof sweep>('sweep', params, { signal }),
}

/**
 * The bench on the home page: a picture, a real model's reading of it, and one FGSM step that changes the
 * reading. One question is under way at a time; while it is answered only the latest wish is kept.
 */
export class Hero {
  phase = $state<'idle' | 'starting' | 'ready' | 'unavailable'>('idle')
  /** Why there is no reader, in words. */
  problem = $state('')
  epsilon = $state(0.08)
  reading = $state.raw<HeroReading | undefined>(undefined)
  firstFlip = $state.raw<FirstFlip>({ state: 'unknown' })

  readonly #engine: HeroEngine
  #picture: { pixels: Float32Array; truth?: number } | undefined
  #changed = false
  #busy: Promise<void> | undefined
  #sweep: AbortController | undefined
  #sweepTimer: ReturnType<typeof setTimeout> | undefined
  #swept: Float32Array | undefined

  constructor(source: HeroEngine = thisEngine) {
    this.#engine = source
  }

  /** Fetches model and backend. What was shown meanwhile is read as soon as they are there. */
  async start(): Promise<void> {
    if (this.phase === 'starting' || this.phase === 'ready') return
    this.phase = 'starting'
    this.problem = ''
    try {
      await this.#engine.start()
      this.phase = 'ready'
      if (this.#picture) await this.#ask()
    } catch (error) {
      this.#unavailable(error)
    }
  }

  /** Shows a picture, (28 × 28) in [0, 1], with its label when it is known; undefined clears the bench. */
  show(picture: { pixels: Float32Array; truth?: number } | undefined): Promise<void> {
    this.#picture = picture
    this.#stopSweep()
    this.firstFlip = { state: 'unknown' }
    if (!picture) this.reading = undefined
    return this.#ask()
  }

  /** Takes another ε; answered with the latest one asked for. */
  setEpsilon(epsilon: number): Promise<void> {
    this.epsilon = epsilon
    return this.#ask()
  }

  close(): void {
    this.#picture = undefined
    this.#stopSweep()
  }

  #ask(): Promise<void> {
    this.#changed = true
    return (this.#busy ??= this.#work().finally(() => (this.#busy = undefined)))
  }

  async #work(): Promise<void> {
    while (this.#changed && this.#picture && this.phase === 'ready') {
      this.#changed = false
      const [picture, epsilon] = [this.#picture, this.epsilon]
      try {
        const reading = await this.#read(picture, epsilon)
        // A reading of a picture that was replaced or cleared meanwhile is dropped.
        if (this.#picture !== picture) continue
        this.reading = reading
        this.#planSweep(picture.pixels, reading.truth)
      } catch (error) {
        this.#unavailable(error)
      }
    }
  }

  async #read(
    { pixels, truth }: { pixels: Float32Array; truth?: number },
    epsilon: number,
  ): Promise<HeroReading> {
    const known =
      truth ??
      (this.reading?.pixels === pixels ? this.reading.truth : undefined) ??
      (await this.#engine.predict({ model, pixels, shape: [1, 28, 28, 1] })).read[0]!
    const answer = await this.#engine.attack({
      ...this.#question(pixels, known),
      options: { epsilon },
      seed: 0,
    })
    return {
      pixels,
      epsilon,
      truth: known,
      delta: answer.delta,
      adversarial: answer.adversarial,
      before: answer.logitsBefore,
      after: answer.logitsAfter,
      readBefore: answer.readBefore[0]!,
      readAfter: answer.readAfter[0]!,
    }
  }

  #question(pixels: Float32Array, label: number) {
    return { model: { model }, images: { pixels, shape: [1, 28, 28, 1], labels: [label] }, attack: 'fgsm' }
  }

  #planSweep(pixels: Float32Array, label: number) {
    if (this.#swept === pixels) return
    this.#stopSweep()
    this.#swept = pixels
    this.firstFlip = { state: 'searching' }
    this.#sweepTimer = setTimeout(() => void this.#findFlip(pixels, label), sweepAfterMs)
  }

  async #findFlip(pixels: Float32Array, label: number): Promise<void> {
    const controller = (this.#sweep = new AbortController())
    const { max, step } = heroScale
    const values = Array.from({ length: Math.round(max / step) + 1 }, (_, i) => Number((i * step).toFixed(3)))
    try {
      const { points } = await this.#engine.sweep(
        { ...this.#question(pixels, label), options: {}, parameter: 'epsilon', values, seeds: [0] },
        controller.signal,
      )
      if (controller.signal.aborted) return
      const first = points.find(({ share }) => share > 0)
      this.firstFlip = first ? { state: 'found', epsilon: first.value } : { state: 'none' }
    } catch {
      // Cancelled, or a backend that just went away: the marker is left out, the reading itself is told above.
      if (!controller.signal.aborted) this.firstFlip = { state: 'unknown' }
    }
  }

  #stopSweep() {
    clearTimeout(this.#sweepTimer)
    this.#sweep?.abort()
    this.#swept = undefined
  }

  #unavailable(error: unknown) {
    this.phase = 'unavailable'
    this.problem = error instanceof Error ? error.message : String(error)
  }
}
