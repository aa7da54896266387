import type { NumberParameter } from '../attacks/attack.ts'
import { abstain, ceiling, type Certificate } from '../defences/certification/certificate.ts'
import type { SmoothedPoint } from '../engine/methods/attack-smoothed.ts'
import type { Certified, Look } from '../engine/methods/certify.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=certificate-chart checkpoint=certified sigma=0.25 n=200}`. */
export interface CertificateSetup {
  model: string
  /** Checkpoint whose model votes instead of the shipped one. */
  weightsFrom?: string
  /** Checkpoint whose images are certified. */
  checkpoint: string | undefined
  sigma: number
  n: number
  alpha: number
  /** Certify with the shipped model too, for comparison. */
  against: boolean
  /** Attack the vote as well. */
  attack: boolean
}

export function readCertificateSetup(props: Record<string, string>): CertificateSetup {
  return {
    model: props.model ?? 'digits-cnn',
    ...(props.victim && props.victim !== 'shipped' ? { weightsFrom: props.victim } : {}),
    checkpoint: props.checkpoint,
    sigma: Number(props.sigma) || 0.25,
    n: Number(props.n) || 200,
    alpha: Number(props.alpha) || 0.001,
    against: props.against === 'shipped',
    attack: props.attacked === 'true',
  }
}

/** One round of certificates. */
export interface Round {
  /** Who voted: "as shipped", "yours". */
  voter: string
  sigma: number
  n: number
  certificates: readonly Certificate[]
  labels: ArrayLike<number>
  /** The longest radius that n votes can prove. */
  ceiling: number
}

/**
 * Certified accuracy in per cent as a staircase: each point is a radius that some certificate ends at, and the share
 * that is left beyond it.
 */
export function certifiedCurve(
  round: Pick<Round, 'certificates' | 'labels'>,
  end: number,
): [number, number][] {
  const { certificates, labels } = round
  const radii = certificates.flatMap((one, i) => (one.class === labels[i] ? [one.radius] : []))
  const ends = [...new Set(radii)].sort((a, b) => a - b)
  const left = (radius: number) => (100 * radii.filter((one) => one > radius).length) / certificates.length
  return [
    [0, (100 * radii.length) / certificates.length],
    ...ends.map((radius): [number, number] => [Number(radius.toFixed(3)), left(radius)]),
    [end, 0],
  ]
}

/** A round ruler that holds every ceiling. */
export const rulerFor = (rounds: readonly Pick<Round, 'ceiling'>[], more = 0): number =>
  Math.max(0.5, Math.ceil(2.1 * Math.max(more / 1.05, ...rounds.map(({ ceiling: top }) => top))) / 2)

/** "17 of 20 digits certified, half of them at 0.4 or more; 3 abstained on." */
export function sentenceFor({ certificates, labels, sigma, n, voter, ceiling: top }: Round): string {
  const right = certificates.filter((one, i) => one.class === labels[i])
  const radii = right.map(({ radius }) => radius).sort((a, b) => b - a)
  const middle = radii[Math.floor((radii.length - 1) / 2)]
  const none = certificates.filter((one) => one.class === abstain).length
  return (
    `${voter === yours ? 'Your model' : `Model ${voter}`}, noise ${sigma}, ${n} votes: ${right.length} of ${certificates.length} certified` +
    (middle === undefined ? '' : `, half of them at ${middle.toFixed(2)} or more`) +
    `; ${none} abstained on; ceiling ${top.toFixed(2)}.`
  )
}

const number = (own: Omit<NumberParameter, 'kind' | 'unit'>): NumberParameter => ({
  kind: 'number',
  unit: '',
  ...own,
})
const sigmaKnob = number({
  name: 'sigma',
  label: 'Noise',
  symbol: 'σ',
  help: 'Deviation of the noise that every copy gets. More noise can prove more, and hides more.',
  min: 0.05,
  max: 1,
  step: 0.05,
  scale: 'linear',
})
const votesKnob = number({
  name: 'n',
  label: 'Votes',
  symbol: 'n',
  help: 'Noisy copies that are counted for each digit. More of them prove the same share more closely.',
  min: 50,
  max: 1000,
  step: 50,
  scale: 'linear',
})

/** Copies that choose the class. */
const n0 = 50
const copiesShown = 8
/** Rounds kept beside each other. */
const kept = 3
const attackRadii = [0.25, 0.5, 1, 1.5, 2, 3]

/** Certificates of a checkpoint's images, round after round, and an attack on the vote beside them. */
export class CertificateChart {
  /** Latest first. */
  rounds: Round[] = $state.raw([])
  look: Look | undefined = $state.raw()
  row = $state(0)
  attacked: { sigma: number; points: readonly SmoothedPoint[] } | undefined = $state.raw()
  running = $state(false)
  doing = $state('')
  progress = $state(0)
  trouble = $state('')
  count = $state(0)
  #abort: AbortController | undefined
  #seed = -1
  #round = 0

  readonly parameters = [sigmaKnob, votesKnob] as const
  readonly source: CheckpointSpec | undefined = $derived.by(() =>
    this.session.checkpoints.find(({ id, artefact }) =>
      this.setup.checkpoint ? id === this.setup.checkpoint : artefact === 'scores',
    ),
  )
  readonly ready = $derived.by(
    () => !this.setup.weightsFrom || this.session.weightsOf(this.setup.weightsFrom) !== undefined,
  )
  readonly settings = $derived.by(() => ({
    sigma: this.session.knob(`${this.#scope}.sigma`, this.setup.sigma),
    n: this.session.knob(`${this.#scope}.n`, this.setup.n),
  }))
  /** What the present knobs can prove at most. */
  readonly top = $derived.by(() => ceiling({ ...this.settings, alpha: this.setup.alpha }))
  readonly #scope: string

  constructor(
    readonly session: LabSession,
    readonly setup: CertificateSetup,
  ) {
    this.#scope = `certificates@${setup.weightsFrom ?? setup.model}`
  }

  set(name: 'sigma' | 'n', value: number): void {
    this.session.setKnob(`${this.#scope}.${name}`, value)
  }

  /** Certifies all images with the present knobs. Rounds before stay when it is stopped. Never throws. */
  certify(): Promise<void> {
    return this.#run('Certifying', async (signal) => {
      const { weightsFrom, against } = this.setup
      const own = weightsFrom ? this.session.weightsOf(weightsFrom) : undefined
      const rivals = against && own && !this.rounds.some(({ voter }) => voter === shipped)
      const parts = rivals ? 2 : 1
      if (rivals) await this.#certifyWith(undefined, signal, 0, parts)
      await this.#certifyWith(own, signal, parts - 1, parts)
    })
  }

  /** Attacks the vote at growing lengths. */
  attack(): Promise<void> {
    return this.#run('Attacking the vote', async (signal) => {
      const { sigma } = this.settings
      const { weightsFrom, alpha } = this.setup
      const { points } = (await this.session.engine.call(
        'attack-smoothed',
        {
          model: this.#model(weightsFrom ? this.session.weightsOf(weightsFrom) : undefined),
          images: await this.#images(signal),
          sigma,
          n: 100,
          alpha,
          radii: attackRadii,
          seed: 1,
        },
        { signal, onProgress: (done, total) => (this.progress = done / total) },
      )) as { points: SmoothedPoint[] }
      this.attacked = { sigma, points }
    })
  }

  /** Shows the noisy copies of the next image. */
  show(row: number): void {
    this.row = (row + this.count) % Math.max(1, this.count)
    void this.#run('Looking', async (signal) => {
      const { sigma } = this.settings
      const { weightsFrom } = this.setup
      const all = await this.#images(signal)
      const { look } = (await this.session.engine.call(
        'certify',
        {
          model: this.#model(weightsFrom ? this.session.weightsOf(weightsFrom) : undefined),
          images: { ...all, ids: [all.ids[this.row]!] },
          ...{ sigma, n0: 1, n: 1, alpha: this.setup.alpha, seed: this.row },
          look: { row: 0, copies: copiesShown },
        },
        { signal },
      )) as Certified
      this.look = look
    })
  }

  cancel(): void {
    this.#abort?.abort()
  }

  async #certifyWith(
    own: ReturnType<LabSession['weightsOf']>,
    signal: AbortSignal,
    part: number,
    parts: number,
  ) {
    const { sigma, n } = this.settings
    const { alpha } = this.setup
    const made = (await this.session.engine.call(
      'certify',
      {
        model: this.#model(own),
        images: await this.#images(signal),
        ...{ sigma, n0, n, alpha, seed: ++this.#round },
        look: { row: this.row, copies: copiesShown },
      },
      { signal, onProgress: (done, total) => (this.progress = (part + done / total) / parts) },
    )) as Certified
    const round: Round = {
      voter: own ? yours : shipped,
      sigma,
      n,
      certificates: made.certificates,
      labels: made.labels,
      ceiling: ceiling({ sigma, n, alpha }),
    }
    const others = this.rounds.filter(
      (one) => !(one.voter === round.voter && one.sigma === sigma && one.n === n),
    )
    this.rounds = [round, ...others].slice(0, kept)
    this.look = made.look
  }

  #model = (weights: ReturnType<LabSession['weightsOf']>) => ({
    model: this.setup.model,
    ...(weights ? { weights } : {}),
  })

  async #images(signal: AbortSignal) {
    const { dataset, split, ids } = await this.session.task(this.source!.id, signal)
    this.count = ids.length
    return { dataset, split, ids }
  }

  async #run(doing: string, body: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!this.source || !this.ready || this.running) return
    const abort = new AbortController()
    this.#abort = abort
    this.running = true
    this.doing = doing
    this.trouble = ''
    this.progress = 0
    try {
      if (this.#seed !== this.session.seed) {
        // Another variant has other images.
        this.rounds = []
        this.attacked = undefined
        this.#seed = this.session.seed
      }
      await body(abort.signal)
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.running = false
      this.#abort = undefined
    }
  }
}

const shipped = 'as shipped'
const yours = 'of yours'
