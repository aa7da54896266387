/**
 * Fast adaptive boundary attack: jump onto the nearest border between two classes as if it were straight, but
 * lean each jump towards the original, and step back inside after each success to look for a nearer crossing.
 * Croce, Hein 2020, "Minimally distorted adversarial examples with a fast adaptive boundary attack", Alg. 1,
 * arXiv:1907.02044. With `borders: 'each'`: its targeted form, FAB-T, as AutoAttack runs it (Croce, Hein 2020,
 * "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * §5, arXiv:2003.01690).
 *
 * Threat model: white-box; a gradient for each other class and step (`each`: for one class); the smallest
 * change in L2 or L∞, no budget. Indifferent to a loss that is scaled or flat: it looks at the logits alone.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import { createRng, type Rng } from '../../core/rng.ts'
import { indexOfMax, likeliestOthers, oneHotRows, readRows } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, atLeastZero, checkBatch, readOptions, untargeted, wholeNumber } from '../check.ts'
import { normKnob, stepsKnob } from '../knobs.ts'

export type FabOptions = {
  norm: 'linf' | 'l2'
  steps: number
  /** Go to the nearest of all borders, or run once for each of the likeliest other classes. */
  borders: 'nearest' | 'each'
  /** With `each`: how many classes, likeliest first. With `nearest`: how many are compared. */
  classes: number
  /** Further runs from random points. */
  restarts: number
  /** Random starts lie within half of this, or of the distance found so far if that is less. */
  startRadius: number
  /** A row found this near is not attacked again by a further run. 0: every run is for every row. */
  goodEnough: number
  /** At most so much weight for the original in each jump. */
  alphaMax: number
  /** How far a jump goes, as a multiple of the way onto the border. */
  eta: number
  /** After a success, this share of the way from the original is kept. */
  beta: number
}

const defaults: FabOptions = {
  norm: 'linf',
  steps: 100,
  borders: 'nearest',
  classes: 9,
  restarts: 0,
  startRadius: 0.3,
  goodEnough: 0,
  alphaMax: 0.1,
  eta: 1.05,
  beta: 0.9,
}

/** A row on its way; its pictures are its own. */
interface Walk {
  /** Its place in x. */
  row: number
  label: number
  /** The other classes whose borders it looks at. */
  rivals: readonly number[]
  original: Float32Array
  at: Float32Array
}

/** The nearest misread picture of each row until now; Infinity far while there is none. */
interface Found {
  distance: number
  picture: Float32Array
}

/** The border as it looks from where a row stands: the plane gap + w·(z − at) = 0. */
interface Plane {
  gap: number
  w: Float32Array
}

/**
 * x: (N, …inputShape) in the victim's bounds. Returns for each row the nearest misread image that any run
 * met; a row that is misread already, and one that never was, come back as they are. The trace holds, step
 * by step, the share of rows misread so far. Rows do not depend on their batch, but for the random numbers of
 * restarts. Returns a new tensor that the caller disposes; x is untouched. Throws RangeError when
 * steps (from 1), classes (from 1) or restarts (from 0) are not whole, startRadius or goodEnough negative,
 * eta not positive, alphaMax or beta not in [0, 1]; `bad-input` for a target, or when x or the labels do not fit.
 *
 * Differs from the paper: no final search along the line to the original (§3.4; the authors' code in AutoAttack
 * has none either). Differs from that code: restarts keep the nearest result, not the first within a budget.
 */
export async function fab(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<FabOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as FabOptions
  checkSettings(settings)
  const labels = untargeted('fab', criterion)
  checkBatch('fab', victim, x, criterion)
  throwIfCancelled(run)
  const { borders, classes, steps, restarts, goodEnough } = settings

  const originals = await readRows(x)
  const scores = await readOnce(victim.logits(x))
  const found = originals.map((original, row): Found => {
    const misread = indexOfMax(scores[row]!) !== labels[row]
    return { distance: misread ? 0 : Infinity, picture: original }
  })
  const rivals = Array.from(labels, (label, row) => likeliestOthers(scores[row]!, label, classes))
  const looks = borders === 'each' ? Math.min(classes, victim.numClasses - 1) : 1
  const runs = looks * (restarts + 1)
  const trace: TraceStep[] = []
  for (let index = 0; index < runs; index++) {
    const [look, restart] = [Math.floor(index / (restarts + 1)), index % (restarts + 1)]
    const rng = createRng(run.seed, `fab ${look} ${restart}`)
    const walks = [...found.keys()]
      .filter((row) => found[row]!.distance > goodEnough)
      .map((row): Walk => {
        const original = originals[row]!
        const start =
          restart > 0 ? randomPoint(original, found[row]!.distance, settings, victim, rng) : original
        const seen = borders === 'each' ? rivals[row]!.slice(look, look + 1) : rivals[row]!
        return { row, label: labels[row]!, rivals: seen, original, at: start }
      })
    for (let step = 1; step <= steps && walks.length > 0; step++) {
      throwIfCancelled(run)
      await stepOn(victim, walks, found, settings)
      const misread = found.filter(({ distance }) => distance < Infinity).length
      trace.push({ step: index * steps + step, values: { found: misread / found.length } })
      run.onStep?.(index * steps + step, runs * steps)
    }
  }
  const result = new Float32Array(x.size)
  found.forEach(({ picture }, row) => result.set(picture, row * picture.length))
  return { adversarial: tf.tensor(result, x.shape), trace }
}

/** Alg. 1, lines 5 to 12, for every row. */
async function stepOn(
  victim: WhiteBoxAccess,
  walks: Walk[],
  found: Found[],
  { norm, alphaMax, eta, beta }: FabOptions,
): Promise<void> {
  const planes = await nearestPlanes(victim, walks, norm)
  walks.forEach((walk, i) => {
    const { original, at } = walk
    const { gap, w } = planes[i]!
    const moveHere = ontoPlane(at, gap, w, norm, victim.bounds)
    const gapThere = gap + w.reduce((sum, slope, j) => sum + slope * (original[j]! - at[j]!), 0)
    const moveThere = ontoPlane(original, gapThere, w, norm, victim.bounds)
    const here = Math.max(sizeOf(moveHere, norm), 1e-8)
    const there = Math.max(sizeOf(moveThere, norm), 1e-8)
    const alpha = Math.min(here / (here + there), alphaMax)
    walk.at = at.map((value, j) => {
      const fromHere = value + eta * moveHere[j]!
      const fromThere = original[j]! + eta * moveThere[j]!
      return clip((1 - alpha) * fromHere + alpha * fromThere, victim.bounds)
    })
  })
  const scores = await withBatch(victim, walks, (x) => victim.logits(x))
  walks.forEach((walk, i) => {
    if (indexOfMax(scores[i]!) === walk.label) return
    const { original, at, row } = walk
    const change = at.map((value, j) => value - original[j]!)
    const distance = sizeOf(change, norm)
    if (distance < found[row]!.distance) found[row] = { distance, picture: at }
    walk.at = original.map((value, j) => value + beta * change[j]!)
  })
}

/** For each row the nearest of the borders to its rivals, straightened where the row stands. */
async function nearestPlanes(victim: WhiteBoxAccess, walks: Walk[], norm: 'linf' | 'l2'): Promise<Plane[]> {
  const scores = await withBatch(victim, walks, (x) => victim.logits(x))
  const nearest: (Plane & { distance: number })[] = []
  for (let k = 0; k < walks[0]!.rivals.length; k++) {
    const slopes = await withBatch(victim, walks, async (x) => {
      const difference = tf.tidy(() =>
        tf.sub(
          oneHotRows(
            walks.map(({ rivals }) => rivals[k]!),
            victim.numClasses,
          ),
          oneHotRows(
            walks.map(({ label }) => label),
            victim.numClasses,
          ),
        ),
      )
      return victim.vjp(x, difference).finally(() => difference.dispose())
    })
    walks.forEach(({ rivals, label }, i) => {
      const [gap, w] = [scores[i]![rivals[k]!]! - scores[i]![label]!, slopes[i]!]
      const distance = Math.abs(gap) / (1e-12 + dualSizeOf(w, norm))
      if (!nearest[i] || distance < nearest[i].distance) nearest[i] = { gap, w, distance }
    })
  }
  return nearest
}

/**
 * The shortest move from `at` onto the plane gap + w·move = 0 that stays in the bounds; where the box does not
 * reach the plane, the move to its nearest corner. Each element goes by min(rate · λ, room), with the rate 1 in
 * L∞ and |w| in L2, and Newton finds λ: the sum is concave in λ, so from 0 he never passes the answer.
 */
export function ontoPlane(
  at: Float32Array,
  gap: number,
  w: Float32Array,
  norm: 'linf' | 'l2',
  [low, high]: readonly [number, number],
): Float32Array {
  const way = gap > 0 ? -1 : 1
  const goal = Math.abs(gap)
  const move = new Float32Array(w.length)
  const room = new Float64Array(w.length)
  const rate = new Float64Array(w.length)
  for (let j = 0; j < w.length; j++) {
    room[j] = way * w[j]! > 0 ? high - at[j]! : at[j]! - low
    rate[j] = norm === 'linf' ? 1 : Math.abs(w[j]!)
  }
  let [lambda, freeBefore] = [0, Infinity]
  for (;;) {
    let [reached, slope, free] = [0, 0, 0]
    for (let j = 0; j < w.length; j++) {
      const size = Math.abs(w[j]!)
      const moves = rate[j]! * lambda < room[j]!
      reached += size * (moves ? rate[j]! * lambda : room[j]!)
      if (moves) slope += size * rate[j]!
      if (moves) free++
    }
    // Between two corners the sum is a line, and Newton's step exact: what is missing then is rounding alone.
    // With no slope nothing that moves tells any more: this corner is the nearest that the box has.
    if (reached >= goal || free === freeBefore || slope === 0) break
    lambda += (goal - reached) / slope
    freeBefore = free
  }
  for (let j = 0; j < w.length; j++) {
    if (w[j] !== 0) move[j] = Math.sign(way * w[j]!) * Math.min(rate[j]! * lambda, room[j]!)
  }
  return move
}

/** Where a further run begins: at random within half the radius, or half of what was found, as far from the original. */
function randomPoint(
  original: Float32Array,
  distance: number,
  { norm, startRadius }: FabOptions,
  { bounds }: WhiteBoxAccess,
  rng: Rng,
): Float32Array {
  const noise = original.map(() => (norm === 'linf' ? 2 * rng.uniform() - 1 : rng.normal()))
  const scale = (0.5 * Math.min(distance, startRadius)) / Math.max(sizeOf(noise, norm), 1e-12)
  return original.map((value, j) => clip(value + scale * noise[j]!, bounds))
}

/** One question about the pictures on their way, answered row by row. */
async function withBatch(
  victim: WhiteBoxAccess,
  walks: readonly Walk[],
  ask: (x: tf.Tensor) => Promise<tf.Tensor>,
): Promise<Float32Array[]> {
  const width = walks[0]!.at.length
  const values = new Float32Array(walks.length * width)
  walks.forEach(({ at }, i) => values.set(at, i * width))
  const x = tf.tensor(values, [walks.length, ...victim.inputShape])
  return readOnce(ask(x)).finally(() => x.dispose())
}

async function readOnce(answer: Promise<tf.Tensor>): Promise<Float32Array[]> {
  const tensor = await answer
  return readRows(tensor).finally(() => tensor.dispose())
}

const clip = (value: number, [low, high]: readonly [number, number]) => Math.min(Math.max(value, low), high)

function sizeOf(delta: Float32Array, norm: 'linf' | 'l2'): number {
  let [largest, squares] = [0, 0]
  for (const change of delta) {
    largest = Math.max(largest, Math.abs(change))
    squares += change * change
  }
  return norm === 'linf' ? largest : Math.sqrt(squares)
}

/** What divides a gap to give the distance of a plane: L1 for L∞, L2 for itself. */
const dualSizeOf = (w: Float32Array, norm: 'linf' | 'l2') =>
  norm === 'linf' ? w.reduce((sum, slope) => sum + Math.abs(slope), 0) : sizeOf(w, 'l2')

function checkSettings(settings: FabOptions): void {
  wholeNumber('fab', 'steps', settings.steps, 1)
  wholeNumber('fab', 'classes', settings.classes, 1)
  wholeNumber('fab', 'restarts', settings.restarts, 0)
  atLeastZero('fab', 'startRadius', settings.startRadius)
  atLeastZero('fab', 'goodEnough', settings.goodEnough)
  aboveZero('fab', 'eta', settings.eta)
  for (const name of ['alphaMax', 'beta'] as const)
    if (!(settings[name] >= 0 && settings[name] <= 1))
      throw new RangeError(`fab: ${name} must be a share from 0 to 1; got ${settings[name]}`)
}

export const entry: EvasionEntry = {
  id: 'fab',
  title: 'Fast adaptive boundary',
  summary: 'Jumps from border to border, always leaning back towards the original.',
  family: 'evasion',
  access: 'white-box',
  targeted: false,
  paper: { cite: 'Croce & Hein 2020', url: 'https://arxiv.org/abs/1907.02044' },
  defaults,
  parameters: [
    normKnob({ help: 'L∞ looks for the smallest change of every pixel, L2 for the shortest change.' }),
    stepsKnob({ max: 200, help: 'Jumps in each run.' }),
    {
      kind: 'choice',
      name: 'borders',
      label: 'Borders',
      help: 'Jump to whichever border is nearest, or spend a run on the border to each other class.',
      choices: [
        { value: 'nearest', label: 'the nearest' },
        { value: 'each', label: 'each in turn' },
      ],
    },
    {
      kind: 'number',
      name: 'classes',
      label: 'Other classes',
      help: 'How many other classes are looked at, likeliest first.',
      min: 1,
      max: 50,
      step: 1,
      unit: 'classes',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'restarts',
      label: 'Restarts',
      help: 'Further runs from random points; each image keeps the nearest result.',
      min: 0,
      max: 10,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'startRadius',
      label: 'Random starts within',
      help: 'A further run begins within half of this, or of the best so far if that is nearer.',
      min: 0,
      max: 5,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'goodEnough',
      label: 'Near enough',
      help: 'An image misread within this distance is left alone by further runs. 0 never rests.',
      min: 0,
      max: 5,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'alphaMax',
      label: 'Lean at most',
      symbol: 'α',
      help: 'The most weight that a jump gives to the side of the original.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'eta',
      label: 'Jump',
      symbol: 'η',
      help: 'The length of a jump, as a multiple of the way onto the border.',
      min: 1,
      max: 2,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'beta',
      label: 'Step back',
      symbol: 'β',
      help: 'The share of the way from the original that is kept after a success.',
      min: 0,
      max: 1,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
  ],
  run: fab,
}
