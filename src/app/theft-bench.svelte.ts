import type { QuestionKind, StealPoint } from '../engine/methods/steal-curve.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** How the API answers, by the step that it rounds to. */
export const answerFormats = [
  { value: '0', label: 'exact' },
  { value: '0.01', label: '2 digits' },
  { value: '0.1', label: '1 digit' },
  { value: '1', label: 'yes or no' },
] as const
export const questionChoices: readonly { value: QuestionKind; label: string }[] = [
  { value: 'unit', label: 'one measurement at a time' },
  { value: 'patients', label: 'real patients' },
  { value: 'random', label: 'random points' },
]

/** One theft: what the copy was worth after how many rows. */
export interface TheftRun {
  number: number
  settings: string
  points: StealPoint[]
}

const kept = 4
const usualRows = { exact: 62, labels: 600 }

/** Thefts of a checkpoint's victim by the library's thief, the earlier ones kept for comparison. */
export class TheftBench {
  /** Latest first. */
  runs: TheftRun[] = $state.raw([])
  running = $state(false)
  progress = $state(0)
  trouble = $state('')
  /** What a row costs at this API, in cents. */
  cents = $state(0)
  #abort: AbortController | undefined
  #seed = -1
  #count = 0

  readonly format = $derived.by(() => this.session.knob('theft.format', '0'))
  readonly questions = $derived.by(() => this.session.knob<string>('theft.questions', 'unit') as QuestionKind)

  constructor(
    readonly session: LabSession,
    readonly checkpoint: string,
  ) {}

  choose(name: 'format' | 'questions', value: string): void {
    this.session.setKnob(`theft.${name}`, value)
  }

  /** Steals once. What was measured before stays when it is stopped. Never throws. */
  async measure(): Promise<void> {
    if (this.running) return
    const abort = new AbortController()
    const { session } = this
    this.#abort = abort
    this.running = true
    this.trouble = ''
    this.progress = 0
    try {
      if (this.#seed !== session.seed) {
        this.runs = []
        this.#seed = session.seed
      }
      const [step, questions] = [Number(this.format), this.questions]
      const { victim, dataset, api } = await session.task(this.checkpoint, abort.signal)
      this.cents = api?.cents ?? 0
      const points = (await session.engine.call(
        'steal-curve',
        {
          victim: { model: victim.model, seed: victim.seed },
          dataset,
          questions,
          step,
          maxRows: step === 1 || questions !== 'unit' ? usualRows.labels : usualRows.exact,
          seed: session.seed,
        },
        {
          signal: abort.signal,
          onProgress: (done, total) => {
            this.progress = done / total
          },
        },
      )) as StealPoint[]
      const run = { number: ++this.#count, settings: this.#settings(step, questions), points }
      this.runs = [run, ...this.runs].slice(0, kept)
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.running = false
      this.#abort = undefined
    }
  }

  #settings(step: number, questions: QuestionKind): string {
    const format = answerFormats.find(({ value }) => Number(value) === step)?.label ?? 'exact'
    return `${format}, ${questionChoices.find(({ value }) => value === questions)!.label}`
  }

  cancel(): void {
    this.#abort?.abort()
  }
}

const percent = (share: number) => `${(100 * share).toFixed(share > 0.995 && share < 1 ? 2 : 1)} %`

/** Rows until the copy agrees on 99 random points in 100, and stays there; undefined when it never does. */
export function rowsToCopy({ points }: TheftRun): number | undefined {
  const late = points.findLastIndex(({ probes }) => probes < 0.99)
  return points[late + 1]?.rows
}

/** One theft in a sentence. */
export function theftWords(run: TheftRun): string {
  const end = run.points.at(-1)
  if (!end) return ''
  const rows = rowsToCopy(run)
  return `${rows ? `A copy after ${rows} rows` : `No copy after ${end.rows} rows`}: it agrees on ${percent(end.probes)} of random points and ${percent(end.test)} of test patients (${run.settings}).`
}
