import type { QuestionKind, StealPoint } from '../engine/methods/steal-curve.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { RunHistory } from './run-history.svelte.ts'

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

/** Exact equations are done after 31 rows; rounded ones are asked again at other lengths; the rest takes what it gets. */
const usualRows = { exact: 62, rounded: 310, other: 600 }

/** Thefts of a checkpoint's victim by the library's thief. */
export class TheftBench extends RunHistory<TheftRun> {
  /** What a row costs at this API, in cents. */
  cents = $state(0)

  readonly format = $derived.by(() => this.session.knob('theft.format', '0'))
  readonly questions = $derived.by(() => this.session.knob<string>('theft.questions', 'unit') as QuestionKind)

  constructor(
    session: LabSession,
    readonly checkpoint: string,
  ) {
    super(session)
  }

  choose(name: 'format' | 'questions', value: string): void {
    this.session.setKnob(`theft.${name}`, value)
  }

  /** Steals once. Never throws. */
  measure(): Promise<void> {
    return this.attempt(async (options) => {
      const { session } = this
      const [step, questions] = [Number(this.format), this.questions]
      const { victim, dataset, api } = await session.task(this.checkpoint, options.signal)
      this.cents = api?.cents ?? 0
      const params = {
        victim: { model: victim.model, seed: victim.seed },
        dataset,
        questions,
        step,
        maxRows:
          questions !== 'unit' || step === 1
            ? usualRows.other
            : step > 0
              ? usualRows.rounded
              : usualRows.exact,
        seed: session.seed,
      }
      const points = (await session.engine.call('steal-curve', params, options)) as StealPoint[]
      const settings = this.#settings(step, questions)
      this.keep({ settings, points }, (earlier) => earlier.settings === settings)
    })
  }

  #settings(step: number, questions: QuestionKind): string {
    const format = answerFormats.find(({ value }) => Number(value) === step)?.label ?? 'exact'
    return `${format}, ${questionChoices.find(({ value }) => value === questions)!.label}`
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
