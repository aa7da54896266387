import type { CloneCurve } from '../engine/methods/clone-curve.ts'
import type { CopyComparison } from '../engine/methods/compare-copy.ts'
import type { Task } from '../grading/grader.ts'
import type { Weight } from '../models/model.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { RunHistory } from './run-history.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=clone-bench checkpoint=knockoff digits=chosen epsilon=0.2}`. */
export interface CloneSetup {
  /** Checkpoint whose victim is copied and whose pictures are asked about. */
  checkpoint: string
  /** Checkpoint whose pictures are of the kind that the victim was made for. */
  digits: string
  /** Data set of the probes, and a shipped model that nobody stole. */
  probes: string
  honest: string
  epsilon: number
}

export function readCloneSetup(props: Record<string, string>): CloneSetup {
  return {
    checkpoint: props.checkpoint ?? '',
    digits: props.digits ?? '',
    probes: props.probes ?? 'mnist10k',
    honest: props.honest ?? 'digits-cnn',
    epsilon: Number(props.epsilon) || 0.2,
  }
}

export const pictureKinds = [
  { value: 'own', label: 'garments' },
  { value: 'digits', label: 'digits' },
  { value: 'noise', label: 'noise' },
] as const
export type PictureKind = (typeof pictureKinds)[number]['value']

export const answerKinds = [
  { value: 'exact', label: 'probabilities', answers: [] },
  { value: 'rounded', label: '1 decimal', answers: [{ id: 'rounding', decimals: 1 }] },
  { value: 'class', label: 'class alone', answers: [{ id: 'top-one', tell: 'label' }] },
  { value: 'misled', label: 'lies in doubt', answers: [{ id: 'misinformation', sure: 0.6 }] },
] as const
export type AnswerKind = (typeof answerKinds)[number]['value']

/** One series of thefts: what the copy was worth after how many rows. */
export interface CloneRun extends CloneCurve {
  number: number
  pictures: PictureKind
  answers: AnswerKind
  copy: { model: string; weights: Weight[] }
}

/** Rows of the thefts of one run; a pool that holds fewer ends it. */
const counts = [100, 300, 1000, 3000]
const steps = 200
const learningRate = 0.012
const probeCount = 500
export const shown = 6

/** Copies of a checkpoint's victim by the library's thief. */
export class CloneBench extends RunHistory<CloneRun> {
  comparison: CopyComparison | undefined = $state.raw()
  /** What a row costs at this API, in cents. */
  cents = $state(0)

  readonly pictures = $derived.by(() => this.session.knob<string>('clone.pictures', 'own') as PictureKind)
  readonly answers = $derived.by(() => this.session.knob<string>('clone.answers', 'exact') as AnswerKind)

  constructor(
    session: LabSession,
    readonly setup: CloneSetup,
  ) {
    super(session)
  }

  choose(name: 'pictures' | 'answers', value: string): void {
    this.session.setKnob(`clone.${name}`, value)
  }

  protected override forget(): void {
    super.forget()
    this.comparison = undefined
  }

  /** Steals with more and more rows. Never throws. */
  measure(): Promise<void> {
    return this.attempt(async (options) => {
      const { session, setup } = this
      const [pictures, answers] = [this.pictures, this.answers]
      const task = await session.task(pictures === 'digits' ? setup.digits : setup.checkpoint, options.signal)
      this.cents = task.api?.cents ?? 0
      const { dataset, split, ids } = task
      const victim = victimIn(task)
      const model = task.copy?.model ?? task.victim.model
      const params = {
        victim,
        copy: model,
        pictures: pictures === 'noise' ? 'noise' : { dataset, split, ids },
        answers: answerKinds.find(({ value }) => value === answers)!.answers,
        counts: counts.filter((count) => pictures === 'noise' || count <= ids.length),
        steps,
        learningRate,
        probes: {
          dataset: setup.probes,
          split: 'test',
          ids: Array.from({ length: probeCount }, (_, i) => i),
        },
        honest: setup.honest,
        seed: session.seed,
      }
      const curve = (await session.engine.call('clone-curve', params, options)) as CloneCurve
      const copy = { model, weights: curve.weights }
      // Everything is drawn from the seed: the same knobs again are the same run.
      const isSame = (earlier: CloneRun) => earlier.pictures === pictures && earlier.answers === answers
      this.keep({ ...curve, pictures, answers, copy }, isSame)
      this.comparison = await compareCopy(session, setup, victim, copy, options.signal)
    })
  }
}

const victimIn = ({ victim: { model, seed } }: Task) => ({ model, seed })

/** Victim, copy and honest model on the same test pictures, and on these attacked on the copy. */
export async function compareCopy(
  session: LabSession,
  setup: Pick<CloneSetup, 'probes' | 'honest' | 'epsilon'>,
  victim: { model: string; seed: number | undefined },
  copy: { model: string; weights: Weight[] },
  signal?: AbortSignal,
): Promise<CopyComparison> {
  const ids = Array.from({ length: shown }, (_, i) => (session.seed + 37 * i) % 1500)
  const params = {
    victim,
    copy,
    images: { dataset: setup.probes, split: 'test', ids },
    probes: Array.from({ length: probeCount }, (_, i) => i),
    epsilon: setup.epsilon,
    honest: setup.honest,
  }
  return (await session.engine.call('compare-copy', params, signal ? { signal } : {})) as CopyComparison
}

/** The copy that was handed in for a checkpoint, beside its victim. */
export class HandedInCopy {
  comparison: CopyComparison | undefined = $state.raw()
  running = $state(false)
  trouble = $state('')
  #of: Weight[] | undefined

  readonly weights = $derived.by(() => this.session.weightsOf(this.setup.checkpoint))

  constructor(
    readonly session: LabSession,
    readonly setup: CloneSetup,
  ) {}

  /** Compares once for each copy that passes. Never throws. */
  async open(): Promise<void> {
    const { weights, session, setup } = this
    if (!weights || this.#of === weights || this.running) return
    this.running = true
    this.trouble = ''
    try {
      const task = await session.task(setup.checkpoint)
      const copy = { model: task.copy?.model ?? task.victim.model, weights }
      this.comparison = await compareCopy(session, setup, victimIn(task), copy)
      this.#of = weights
    } catch (error) {
      this.trouble = sentenceOf(error)
    } finally {
      this.running = false
    }
  }
}

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`

export const runName = ({ pictures, answers }: Pick<CloneRun, 'pictures' | 'answers'>): string =>
  `${pictureKinds.find(({ value }) => value === pictures)!.label}, ${answerKinds.find(({ value }) => value === answers)!.label}`

/** One run in a sentence. */
export function runWords(run: CloneRun): string {
  const end = run.points.at(-1)
  if (!end) return ''
  const beside = run.honest === undefined ? '' : `; a model that nobody stole, on ${percent(run.honest)}`
  return `After ${end.queries.toLocaleString('en')} rows the copy says what the victim says on ${percent(end.agreement)} of test digits${beside} (${runName(run)}).`
}

/** How many of the attacked pictures fool copy and victim. */
export function fooledWords({ labels, after }: CopyComparison): string {
  const count = ({ top }: { top: Int32Array }) => labels.filter((label, i) => top[i] !== label).length
  return `${count(after.copy)} of ${labels.length} changed pictures are misread by the copy, ${count(after.victim)} by the victim, which was never asked about them.`
}
