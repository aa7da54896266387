/**
 * The boundary attack: a random walk along the victim's border that always stays misread and comes nearer.
 * Brendel, Rauber, Bethge 2018, "Decision-based adversarial attacks: reliable attacks against black-box machine
 * learning models", Alg. 1 and §2.3–2.5, arXiv:1712.04248.
 *
 * Threat model: decision-based black box (the top class); the smallest L2 change that `maxQueries` find.
 */
import { askWhether, findStart, readStarts, toBorder, type WalkSetting } from '../../core/boundary-walk.ts'
import type { DecisionOracle } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import {
  decisionsFrom,
  distanceOf,
  fillNoise,
  searchRows,
  type RowSearch,
  type SearchRow,
} from '../../core/row-search.ts'
import type { RunContext } from '../../core/run.ts'
import type * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, checkBatch, readOptions, wholeNumber } from '../check.ts'

export type BoundaryOptions = {
  /** Queries that each row may ask, the start included. */
  maxQueries: number
  /** First length of a step around the original, as a share of the distance to it. */
  sidestep: number
  /** First length of a step towards the original, as a share of the distance to it. */
  approach: number
}

const defaults: BoundaryOptions = { maxQueries: 5000, sidestep: 0.01, approach: 0.01 }

interface Setting extends BoundaryOptions, WalkSetting {
  bounds: readonly [number, number]
}

/** Of every so many steps, one asks about its sidestep alone too, to learn how curved the border is. */
const checkEvery = 10
/** Both step lengths change by this factor. */
const adaptation = 1.5
/** A walk whose approaches have become so short has arrived. */
const arrived = 1e-7
/** The start is brought to the border to this share of its distance. */
const startTolerance = 0.01

/**
 * x: (N, …inputShape) in the victim's bounds. `starts`, a row without a start, an image that is misread already, the end of a
 * row's queries and of the oracle's: as in HopSkipJump. Each row comes back as the nearest success met. Returns
 * a new tensor that the caller disposes; x is untouched. Throws RangeError when maxQueries is not a whole number
 * above 0 or a step is not positive, `bad-input` when x, the labels or the starts do not fit.
 *
 * Differs from the paper: step lengths are adapted as foolbox does it (when 100 sidesteps or 30 steps have been
 * counted), and the start is first brought to the border by halving the way.
 */
export async function boundary(
  oracle: DecisionOracle,
  x: tf.Tensor,
  criterion: Criterion,
  { starts, ...options }: Partial<BoundaryOptions> & { starts?: tf.Tensor },
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as BoundaryOptions
  wholeNumber('boundary', 'maxQueries', settings.maxQueries, 1)
  aboveZero('boundary', 'sidestep', settings.sidestep)
  aboveZero('boundary', 'approach', settings.approach)
  checkBatch('boundary', oracle, x, criterion)
  const setting: Setting = {
    ...settings,
    norm: 'l2',
    criterion,
    bounds: oracle.bounds,
    starts: await readStarts('boundary', starts, x, oracle),
  }
  return searchRows({
    x,
    info: oracle,
    maxQueries: settings.maxQueries,
    name: 'boundary',
    figure: 'distance',
    ask: decisionsFrom(oracle),
    search: (row) => walk(row, setting),
    run,
  })
}

/** Algorithm 1. */
function* walk(row: SearchRow, setting: Setting): RowSearch<number> {
  const start = yield* findStart(row, setting)
  if (!start || start === row.x) return
  let at = yield* toBorder(row, start, setting, startTolerance)
  let { sidestep, approach } = setting
  const aside = new Recent(100)
  const whole = new Recent(30)
  for (let step = 1; approach >= arrived; step++) {
    const distance = distanceOf(at, row.x, 'l2')
    if (distance === 0) return
    const beside = stepAside(row, at, distance, sidestep, setting)
    const nearer = stepNearer(row, beside, distance, approach, setting)
    const counts = step % checkEvery === 0
    const [landed, besideMisread] = yield* askWhether(row, counts ? [nearer, beside] : [nearer], setting)
    if (landed && distanceOf(nearer, row.x, 'l2') < distance) at = nearer
    if (!counts) continue
    aside.note(besideMisread!)
    whole.note(landed!)
    const easy = aside.share
    if (easy !== undefined && (easy > 0.5 || easy < 0.2)) {
      const factor = easy > 0.5 ? adaptation : 1 / adaptation
      sidestep *= factor
      approach *= factor
      aside.clear()
    }
    const success = whole.share
    if (success !== undefined && (success > 0.25 || success < 0.1)) {
      approach *= success > 0.25 ? adaptation : 1 / adaptation
      whole.clear()
    }
  }
}

/** A random step on the sphere around the original (§2.3, step 1). */
function stepAside(
  row: SearchRow,
  at: Float32Array,
  distance: number,
  sidestep: number,
  { bounds }: Setting,
): Float32Array {
  const { x } = row
  const noise = fillNoise(row.rng, new Float32Array(x.length))
  // Taken off the noise: its part along the way to the original.
  let along = 0
  for (let i = 0; i < x.length; i++) along += (noise[i]! * (x[i]! - at[i]!)) / distance
  let squares = 0
  for (let i = 0; i < x.length; i++) {
    noise[i]! -= (along * (x[i]! - at[i]!)) / distance
    squares += noise[i]! * noise[i]!
  }
  const length = (sidestep * distance) / Math.max(1e-12, Math.sqrt(squares))
  const backToSphere = 1 / Math.sqrt(sidestep * sidestep + 1)
  return noise.map((value, i) => clip(x[i]! + (length * value - (x[i]! - at[i]!)) * backToSphere, bounds))
}

/** Then towards the original (step 2), also by what clipping has put the sidestep off the sphere. */
function stepNearer(
  row: SearchRow,
  beside: Float32Array,
  distance: number,
  approach: number,
  { bounds }: Setting,
): Float32Array {
  const away = Math.max(1e-12, distanceOf(beside, row.x, 'l2'))
  const share = Math.max(0, approach * distance + away - distance) / away
  return beside.map((value, i) => clip(value + share * (row.x[i]! - value), bounds))
}

/** The last so many outcomes. */
class Recent {
  #outcomes: boolean[] = []
  constructor(readonly size: number) {}
  note(outcome: boolean): void {
    this.#outcomes.push(outcome)
    if (this.#outcomes.length > this.size) this.#outcomes.shift()
  }
  /** Share of successes, once there are enough to tell. */
  get share(): number | undefined {
    if (this.#outcomes.length < this.size) return undefined
    return this.#outcomes.filter(Boolean).length / this.size
  }
  clear(): void {
    this.#outcomes = []
  }
}

const clip = (value: number, [low, high]: readonly [number, number]) => Math.min(high, Math.max(low, value))

export const entry: EvasionEntry = {
  id: 'boundary',
  title: 'Boundary attack',
  summary:
    'Start at a picture that is misread and stroll along the border, each step a little nearer to the original.',
  family: 'evasion',
  targeted: true,
  access: 'decision',
  paper: { cite: 'Brendel et al. 2018', url: 'https://arxiv.org/abs/1712.04248' },
  defaults,
  parameters: [
    {
      kind: 'number',
      name: 'maxQueries',
      label: 'Queries an image',
      help: 'How many pictures may be shown to the victim for each image. This walk needs thousands.',
      min: 10,
      max: 20000,
      step: 10,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'sidestep',
      label: 'First sidestep',
      symbol: 'δ',
      help: 'Length of the first random steps around the original, as a share of the distance to it.',
      min: 0.001,
      max: 0.5,
      step: 0.001,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'approach',
      label: 'First approach',
      symbol: 'ε',
      help: 'Length of the first steps towards the original, as a share of the distance to it.',
      min: 0.001,
      max: 0.5,
      step: 0.001,
      unit: '',
      scale: 'log',
    },
  ],
  run: boundary,
}
