import type { Options, OptionValue } from '../attacks/attack.ts'
import type { SweepPoint } from '../engine/methods/sweep.ts'
import type { Weight } from '../models/model.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** One line of the chart: an attack with its settings. */
export interface CurveLine {
  /** "PGD, 20 steps": what it is called. */
  name: string
  attack: string
  options: Options
  /** Starts from these seeds; the band is their range. */
  seeds: number[]
}

/** What the directive says: `::widget{kind=robustness-curve victim=hardened compare="fgsm | pgd steps=20"}`. */
export interface CurveSetup {
  model: string
  weightsFrom?: string
  /** Checkpoint whose images are used; the lab's first of adversarial examples by default. */
  checkpoint?: string
  max: number
  lines: CurveLine[]
}

const usual = 'fgsm | pgd steps=3 randomStart=true | pgd steps=20 randomStart=true'
const seeds = [1, 2, 3]
const values = 7
const images = 40

export function readCurveSetup(props: Record<string, string>): CurveSetup {
  const max = Number(props.max) > 0 ? Number(props.max) : 0.3
  return {
    model: props.model ?? 'digits-cnn',
    ...(props.victim && props.victim !== 'shipped' ? { weightsFrom: props.victim } : {}),
    ...(props.checkpoint ? { checkpoint: props.checkpoint } : {}),
    max,
    lines: (props.compare ?? usual).split('|').map((said) => readLine(said.trim())),
  }
}

/** "pgd steps=20 randomStart=true": the attack, then its options. */
function readLine(said: string): CurveLine {
  const [attack = 'fgsm', ...settings] = said.split(/\s+/)
  const options = Object.fromEntries(
    settings.map((setting): [string, OptionValue] => {
      const [name = '', value = ''] = setting.split('=')
      return [
        name,
        value === 'true' || value === 'false'
          ? value === 'true'
          : Number.isNaN(Number(value))
            ? value
            : Number(value),
      ]
    }),
  )
  const random = options.randomStart === true || Number(options.restarts ?? 0) > 0
  const words = [
    attack.toUpperCase(),
    ...(options.steps === undefined ? [] : [`${options.steps} ${options.steps === 1 ? 'step' : 'steps'}`]),
    ...(Number(options.restarts ?? 0) > 0 ? [`best of ${Number(options.restarts) + 1}`] : []),
  ]
  return { name: words.join(', '), attack, options, seeds: random ? seeds : [0] }
}

/** A step that reaches the edge from the middle in half of the steps, whatever ε is. */
const stepSizeFor = (epsilon: number, steps: number) => Math.max(1e-4, (2 * epsilon) / steps)

export interface MeasuredLine {
  line: CurveLine
  /** Share of images still read rightly: the mean over starts, and its range. */
  points: { epsilon: number; left: number; low: number; high: number }[]
}

/** Accuracy that is left against ε, for several attacks on one model; the band is the range over random starts. */
export class RobustnessCurve {
  measured: MeasuredLine[] = $state.raw([])
  running = $state(false)
  progress = $state(0)
  trouble = $state('')
  /** Images measured. */
  count = $state(0)
  noun = $state('image')
  #abort: AbortController | undefined

  constructor(
    readonly session: LabSession,
    readonly setup: CurveSetup,
  ) {}

  get weights(): Weight[] | undefined {
    const from = this.setup.weightsFrom
    return from ? this.session.weightsOf(from) : undefined
  }

  get ready(): boolean {
    return !this.setup.weightsFrom || this.weights !== undefined
  }

  readonly plan = $derived.by(
    () =>
      `${this.setup.lines.length} attacks at ${values} strengths on ${images} ${this.noun}s, ${seeds.length} random starts each`,
  )

  async measure(): Promise<void> {
    if (this.running || !this.ready) return
    const abort = new AbortController()
    this.#abort = abort
    this.running = true
    this.trouble = ''
    this.progress = 0
    this.measured = []
    try {
      const source =
        this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint) ??
        this.session.checkpoints.find(({ artefact }) => artefact === 'adversarial-examples')
      if (!source) throw new Error('This lab has no checkpoint of adversarial examples to take images from.')
      const task = await this.session.task(source.id, abort.signal)
      const ids = task.ids.slice(0, images)
      this.count = ids.length
      const { max, lines, model } = this.setup
      const weights = this.weights
      const epsilons = Array.from({ length: values }, (_, i) => Number(((max * i) / (values - 1)).toFixed(4)))
      const total = lines.length * epsilons.length
      for (const [at, line] of lines.entries()) {
        const points: MeasuredLine['points'] = []
        for (const [i, epsilon] of epsilons.entries()) {
          const steps = Number(line.options.steps ?? 1)
          const stepSize =
            steps > 1 && line.options.stepSize === undefined ? { stepSize: stepSizeFor(epsilon, steps) } : {}
          const { points: found } = (await this.session.engine.call(
            'sweep',
            {
              model: { model, ...(weights ? { weights } : {}) },
              images: { dataset: task.dataset, split: task.split, ids },
              attack: line.attack,
              options: { ...line.options, ...stepSize },
              parameter: 'epsilon',
              values: [epsilon],
              seeds: epsilon === 0 ? [0] : line.seeds,
            },
            { signal: abort.signal },
          )) as { points: SweepPoint[] }
          const { share, low, high } = found[0]!
          points.push({ epsilon, left: 1 - share, low: 1 - high, high: 1 - low })
          this.measured = [...this.measured.slice(0, at), { line, points: [...points] }]
          this.progress = (at * epsilons.length + i + 1) / total
        }
      }
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.running = false
      this.#abort = undefined
    }
  }

  cancel(): void {
    this.#abort?.abort()
  }
}
