/**
 * Square attack: change one random square at a time, and keep what brings the scores nearer to a misreading.
 * Andriushchenko, Croce, Flammarion, Hein 2020, "Square Attack: a query-efficient black-box adversarial attack
 * via random search", Alg. 1, 2 (L∞) and 3 (L2), arXiv:1912.00049.
 *
 * Threat model: score-based black box, one query a step; budget epsilon in L∞ or L2, and a number of queries.
 */
import type { ScoreOracle } from '../../core/classifier.ts'
import { criterionLabels, isAdversarial, type Criterion } from '../../core/criteria.ts'
import type { Rng } from '../../core/rng.ts'
import { scoresFrom, searchRows, topOf, type RowSearch, type SearchRow } from '../../core/row-search.ts'
import type { RunContext } from '../../core/run.ts'
import type * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { atLeastZero, checkBatch, readOptions, wholeNumber } from '../check.ts'

export type SquareOptions = {
  /** Radius of the ball around x, in the same units as x. */
  epsilon: number
  norm: 'linf' | 'l2'
  /** Queries that each row may ask; the first shows the starting point. */
  maxQueries: number
  /** Share of the picture that the first squares cover. */
  firstShare: number
  /**
   * As in the paper, or as AutoAttack's code has it: there squares shrink as if the budget were 10,000, whatever it
   * is, and the lowest and rightmost positions are never drawn.
   */
  variant: 'paper' | 'autoattack'
}

const defaults: SquareOptions = {
  epsilon: 0.1,
  norm: 'linf',
  maxQueries: 1000,
  firstShare: 0.8,
  variant: 'paper',
}

/** A picture's sides. */
interface Frame {
  height: number
  width: number
  channels: number
}

/** What the search of one row is given besides the row. */
interface Setting extends SquareOptions {
  frame: Frame
  bounds: readonly [number, number]
  criterion: Criterion
}

/**
 * x: (N, …inputShape) in the victim's bounds; epsilon in the same units. Rows of [height, width, channels] are
 * pictures; a plain row of n numbers is taken as a square of one channel where n is a square number, else as
 * one line. Away from a label the margin of its log probability over the next best falls, towards a target its
 * cross-entropy (§3.1). A row stops at its first success; its last question was the one that succeeded. A
 * row that never succeeds comes back as the best that was found, within epsilon and bounds. An image that is
 * misread already, or read as its target, is attacked like any other, and is a success at the first question that
 * finds it so. With epsilon 0 nothing moves; with `maxQueries: 1` the random stripes of the start are all.
 * When the oracle's own budget is spent, all rows come back as far as they got, and nothing is thrown.
 * Returns a new tensor that the caller disposes; x is untouched. Throws RangeError when epsilon is negative,
 * maxQueries is not a whole number above 0 or firstShare is not above 0 and at most 1; `bad-input` when x or
 * the labels do not fit.
 *
 * Differs from the paper: each row draws its own squares, from a stream that its pixels and the seed name.
 */
export async function square(
  oracle: ScoreOracle,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<SquareOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as SquareOptions
  atLeastZero('square', 'epsilon', settings.epsilon)
  wholeNumber('square', 'maxQueries', settings.maxQueries, 1)
  if (!(settings.firstShare > 0 && settings.firstShare <= 1))
    throw new RangeError(`square: firstShare must be above 0 and at most 1; got ${settings.firstShare}`)
  checkBatch('square', oracle, x, criterion)
  const setting = { ...settings, frame: frameOf(oracle.inputShape), bounds: oracle.bounds, criterion }
  return searchRows({
    x,
    info: oracle,
    maxQueries: settings.maxQueries,
    name: 'square',
    figure: 'margin',
    ask: scoresFrom(oracle),
    search: (row) => (settings.norm === 'linf' ? searchLinf(row, setting) : searchL2(row, setting)),
    run,
  })
}

/** Algorithm 1 with the sampling of Algorithm 2: each square moves to a corner of the L∞ ball, by channel. */
function* searchLinf(row: SearchRow, setting: Setting): RowSearch<Float32Array> {
  const { epsilon, frame, bounds } = setting
  const { x, rng } = row
  const stripes = Float32Array.from(x)
  for (let j = 0; j < frame.width; j++)
    for (let c = 0; c < frame.channels; c++) {
      const change = sign(rng) * epsilon
      for (let i = 0; i < frame.height; i++) {
        const at = (i * frame.width + j) * frame.channels + c
        stripes[at] = clip(x[at]! + change, bounds)
      }
    }
  let loss = judge(row, stripes, (yield [stripes])[0]!, setting, Infinity)
  for (let step = 0; !row.found; step++) {
    const side = squareSide(setting, step)
    const window = placeWindow(rng, setting, side)
    const next = Float32Array.from(row.best)
    for (let c = 0; c < frame.channels; c++) {
      const change = 2 * epsilon * sign(rng)
      inWindow(window, frame, c, (at) => {
        const within = Math.min(Math.max(next[at]! + change, x[at]! - epsilon), x[at]! + epsilon)
        next[at] = clip(within, bounds)
      })
    }
    loss = judge(row, next, (yield [next])[0]!, setting, loss)
  }
}

/** Algorithm 1 with the sampling of Algorithm 3: a window takes over the length that another one had. */
function* searchL2(row: SearchRow, setting: Setting): RowSearch<Float32Array> {
  const { epsilon, frame, bounds } = setting
  const { x, rng } = row
  /** x plus a change scaled to epsilon, in bounds. */
  const spread = (delta: Float32Array) => {
    const scale = epsilon / Math.max(1e-12, Math.sqrt(squaresOf(delta)))
    return Float32Array.from(x, (value, at) => clip(value + delta[at]! * scale, bounds))
  }
  const start = spread(tiles(frame, rng))
  let loss = judge(row, start, (yield [start])[0]!, setting, Infinity)
  for (let step = 0; !row.found; step++) {
    const side = Math.max(squareSide(setting, step), 3)
    const odd = side % 2 === 0 ? side + 1 : side
    const to = placeWindow(rng, setting, odd)
    const from = placeWindow(rng, setting, odd)
    const delta = Float32Array.from(row.best, (value, at) => value - x[at]!)
    const unused = Math.max(epsilon * epsilon - squaresOf(delta), 0) / frame.channels
    const both = new Set<number>()
    for (let c = 0; c < frame.channels; c++) {
      inWindow(to, frame, c, (at) => both.add(at))
      inWindow(from, frame, c, (at) => both.add(at))
    }
    let freed = 0
    for (const at of both) freed += delta[at]! ** 2
    const fresh: { at: number; value: number }[] = []
    for (let c = 0; c < frame.channels; c++) {
      let [old, size] = [0, 0]
      inWindow(to, frame, c, (at) => (old += delta[at]! ** 2))
      const shape = twoHills(to.height, to.width, rng)
      const way = sign(rng)
      const mixed: typeof fresh = []
      inWindow(to, frame, c, (at, i) =>
        mixed.push({ at, value: way * shape[i]! + delta[at]! / (1e-12 + Math.sqrt(old)) }),
      )
      for (const { value } of mixed) size += value * value
      const length = Math.sqrt(unused + freed) / (1e-12 + Math.sqrt(size))
      for (const { at, value } of mixed) fresh.push({ at, value: value * length })
    }
    for (const at of both) delta[at] = 0
    for (const { at, value } of fresh) delta[at] = value
    const next = spread(delta)
    loss = judge(row, next, (yield [next])[0]!, setting, loss)
  }
}

/** Takes `point` over when it is better or a success, and tells the loss that is now to beat. */
function judge(
  row: SearchRow,
  point: Float32Array,
  scores: Float32Array,
  { criterion }: Setting,
  best: number,
): number {
  const label = criterionLabels(criterion)[row.index]!
  const targeted = criterion.kind === 'targeted'
  const others = Math.max(...scores.map((score, k) => (k === label ? 0 : score)))
  const logOf = (probability: number) => Math.log(Math.max(probability, 1e-38))
  const margin = logOf(scores[label]!) - logOf(others)
  const loss = targeted ? -logOf(scores[label]!) : margin
  const success = isAdversarial(criterion, row.index, topOf(scores))
  if (!success && !(loss < best)) return best
  row.best = point
  row.found = success
  row.figure = targeted ? -margin : margin
  return loss
}

/** Side of the square at a step: its share of the picture halves as the search goes on (§4, appendix B). */
function squareSide({ frame, firstShare, maxQueries, variant }: Setting, step: number): number {
  const at = variant === 'paper' ? Math.floor((step / maxQueries) * 10000) : step
  const marks = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000, 10000]
  const halvings = at > 10000 ? 0 : marks.filter((mark) => at > mark).length
  return Math.max(1, Math.round(Math.sqrt((firstShare / 2 ** halvings) * frame.height * frame.width)))
}

interface Window {
  top: number
  left: number
  height: number
  width: number
}

function placeWindow(rng: Rng, { frame, variant }: Setting, side: number): Window {
  const [height, width] = [Math.min(side, frame.height), Math.min(side, frame.width)]
  const places = (free: number) => (variant === 'paper' ? free + 1 : Math.max(1, free))
  const top = rng.below(places(frame.height - height))
  return { top, left: rng.below(places(frame.width - width)), height, width }
}

/** Calls `use` with the place of each element of one channel, row by row. */
function inWindow(window: Window, frame: Frame, channel: number, use: (at: number, i: number) => void): void {
  let i = 0
  for (let row = window.top; row < window.top + window.height; row++)
    for (let column = window.left; column < window.left + window.width; column++)
      use((row * frame.width + column) * frame.channels + channel, i++)
}

/** The start of the L2 search: the picture is laid out with tiles, five to a side, each of two hills. */
function tiles(frame: Frame, rng: Rng): Float32Array {
  const delta = new Float32Array(frame.height * frame.width * frame.channels)
  const height = Math.max(1, Math.floor(frame.height / 5))
  const width = Math.max(1, Math.floor(frame.width / 5))
  for (let top = 0; top + height <= frame.height; top += height)
    for (let left = 0; left + width <= frame.width; left += width) {
      const shape = twoHills(height, width, rng)
      for (let c = 0; c < frame.channels; c++) {
        const way = sign(rng)
        inWindow({ top, left, height, width }, frame, c, (at, i) => (delta[at] = way * shape[i]!))
      }
    }
  return delta
}

/** η of eq. 2: a hill in one half and a valley in the other, upright or lying, of length 1. */
function twoHills(height: number, width: number, rng: Rng): Float32Array {
  const lying = rng.uniform() > 0.5
  const [long, short] = lying ? [width, height] : [height, width]
  const upper = hill(Math.floor(long / 2), short)
  const lower = hill(long - Math.floor(long / 2), short)
  const shape = new Float32Array(height * width)
  const norm = Math.sqrt(upper.length > 0 ? 2 : 1)
  for (let i = 0; i < long; i++)
    for (let j = 0; j < short; j++) {
      const first = i * short + j
      const value = first < upper.length ? upper[first]! : -lower[first - upper.length]!
      shape[lying ? j * width + i : i * width + j] = value / norm
    }
  return shape
}

/** Nested rectangles that fall off like 1 / k² from the middle; of length 1. */
function hill(height: number, width: number): Float32Array {
  const values = new Float32Array(height * width)
  const [middleRow, middleColumn] = [Math.floor(height / 2), Math.floor(width / 2)]
  const rings = Math.max(middleRow, middleColumn) + 1
  for (let i = 0; i < height; i++)
    for (let j = 0; j < width; j++) {
      const ring = Math.max(Math.abs(i - middleRow), Math.abs(j - middleColumn))
      for (let k = ring; k < rings; k++) values[i * width + j]! += 1 / (k + 1) ** 2
    }
  const length = Math.sqrt(squaresOf(values))
  return values.map((value) => value / length)
}

/** How the attack sees a row of the victim's input. */
function frameOf(inputShape: readonly number[]): Frame {
  const [height, width, channels] = inputShape
  if (inputShape.length === 3) return { height: height!, width: width!, channels: channels! }
  const size = inputShape.reduce((product, n) => product * n, 1)
  const side = Math.round(Math.sqrt(size))
  return side * side === size
    ? { height: side, width: side, channels: 1 }
    : { height: 1, width: size, channels: 1 }
}

const sign = (rng: Rng): 1 | -1 => (rng.uniform() < 0.5 ? -1 : 1)
const clip = (value: number, [low, high]: readonly [number, number]) => Math.min(high, Math.max(low, value))

function squaresOf(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += value * value
  return sum
}

export const entry: EvasionEntry = {
  id: 'square',
  title: 'Square attack',
  summary:
    'Repaint one random square at a time, and keep the change whenever the scores get worse for the victim.',
  family: 'evasion',
  targeted: true,
  access: 'score',
  paper: { cite: 'Andriushchenko et al. 2020', url: 'https://arxiv.org/abs/1912.00049' },
  defaults,
  parameters: [
    {
      kind: 'number',
      name: 'epsilon',
      label: 'Strength',
      symbol: 'ε',
      help: 'How far each pixel may move. The squares go to the edge of this at once.',
      min: 0,
      max: 0.3,
      step: 0.005,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'norm',
      label: 'Measured as',
      help: 'L∞ limits the largest change of one pixel; L2 limits the length of the whole change.',
      choices: [
        { value: 'linf', label: 'L∞' },
        { value: 'l2', label: 'L2' },
      ],
    },
    {
      kind: 'number',
      name: 'maxQueries',
      label: 'Queries an image',
      help: 'How many pictures may be shown to the victim for each image. A search ends at its first success.',
      min: 1,
      max: 5000,
      step: 1,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'firstShare',
      label: 'First squares',
      symbol: 'p',
      help: 'The share of the picture that a square covers at first. Later squares are smaller.',
      min: 0.05,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'variant',
      label: 'As in',
      help: 'The paper shrinks its squares over the queries there are; AutoAttack always as if there were 10,000.',
      choices: [
        { value: 'paper', label: 'the paper' },
        { value: 'autoattack', label: 'AutoAttack' },
      ],
    },
  ],
  run: square,
}
