/**
 * Boundary search: a linear classifier that tells nothing but its class still shows where it changes its mind. Walk to
 * that border along enough lines, and the plane is known up to its scale, which no decision depends on.
 * Lowd & Meek 2005, "Adversarial learning", §3.2 (ACRE learnable linear classifiers with continuous features); as an
 * extraction attack Tramèr et al. 2016, §5, arXiv:1609.02943.
 *
 * Threat model: decision-based black box around a linear classifier of two classes.
 */
import type { DecisionOracle } from '../../core/classifier.ts'
import { PerturbError } from '../../core/errors.ts'
import { nullVector } from '../../core/linear-algebra.ts'
import { createRng } from '../../core/rng.ts'
import { decisionsFrom } from '../../core/row-search.ts'
import type { RunContext, TraceStep } from '../../core/run.ts'
import type { ExtractionEntry, ExtractionResult, Shortfall, ThiefMeans } from '../attack.ts'
import { aboveZero, readOptions, wholeNumber } from '../check.ts'
import { linearSurrogate } from '../linear-surrogate.ts'
import { checkVictim, clip, inputSize, Questions } from '../questions.ts'

export type BoundarySearchOptions = {
  /** `axes`: Lowd & Meek, one line along each axis. `random`: lines between points of both classes. */
  lines: 'axes' | 'random'
  maxQueries: number
  /** How often each line is halved: each time the border is known twice as well. */
  halvings: number
  /** Deviation of the first points around the centre of the bounds, in the units of x. */
  spread: number
}

const defaults: BoundarySearchOptions = { lines: 'random', maxQueries: 600, halvings: 12, spread: 1 }

/** Share of the queries that look for points of both classes. */
const scoutingShare = 0.1
const leastScouts = 8
/**
 * Lines between few points lie in few directions, and the plane through the border on them is anybody's guess: `random`
 * wants so many points an input, for up to this share of the queries.
 */
const scoutsAnInput = 2
const mostScouting = 0.2
/** When all scouts are of one class, they swarm out: so much farther each time, and so often. */
const swarm = 2
const swarms = 6
/** Halvings that bring the start of the axes near the border, and how far from it, in starting distances, the axes are searched. */
const approach = 4
const reach = 64

type Asking = Questions<number>
type Line = [low: Float64Array, high: Float64Array]
/** w·x + bias, positive where class 1 is answered. */
interface Plane {
  weights: Float64Array
  bias: number
}
interface Found {
  plane: Plane
  /** Lines on which the border was found; a plane needs one for each input. */
  lines: number
}

/**
 * Scouts with random points until both classes are seen, then closes in on the border along lines, all of them at once.
 * The surrogate's weights have length 1: the victim's scale cannot be seen in its decisions. When the oracle refuses, the
 * lines are used as far as they were halved. `constant`: one class was answered wherever it looked, and the surrogate
 * answers that class. Throws RangeError when an option is out of range, `bad-input` for another number of classes than two.
 *
 * Differs from the paper: `axes` halves the logarithm of the distance, `random` finds the plane through border points
 * by least squares, which errs less at the same number of questions.
 */
export async function boundarySearch(
  oracle: DecisionOracle,
  _: ThiefMeans,
  options: Partial<BoundarySearchOptions>,
  run: RunContext,
): Promise<ExtractionResult> {
  const settings = readOptions(entry, options) as BoundarySearchOptions
  const { lines, maxQueries, halvings, spread } = settings
  wholeNumber('boundary-search', 'maxQueries', maxQueries, 1)
  wholeNumber('boundary-search', 'halvings', halvings, 1)
  aboveZero('boundary-search', 'spread', spread)
  checkVictim('boundary-search', oracle)
  if (oracle.numClasses !== 2)
    throw new PerturbError(
      'bad-input',
      `boundary-search: finds the border between two classes; got ${oracle.numClasses}. For more, copy by examples: copycat`,
    )
  const questions: Asking = new Questions(oracle, decisionsFrom(oracle), run)
  const trace: TraceStep[] = []
  const note = (values: Record<string, number> = {}) => {
    trace.push({ step: trace.length, values: { queries: questions.asked, ...values } })
    run.onStep?.(Math.min(questions.asked, maxQueries), maxQueries, trace.at(-1)!.values)
  }
  const [first, second] = await scout(questions, settings, run.seed)
  note()
  if (first.length === 0 || second.length === 0) {
    const seen = first.length > 0 ? 0 : 1
    const weights = new Float64Array(inputSize(oracle))
    const none = questions.asked === 0
    return finish(oracle, { weights, bias: none ? 0 : seen === 1 ? 1 : -1 }, questions, trace, {
      kind: 'constant',
      message: `the API answered class ${seen} to all ${questions.asked} points, so no border was found; look farther out (a larger spread).`,
    })
  }
  const search = lines === 'axes' ? alongAxes : betweenPoints
  const found = await search(questions, first, second, settings, note)
  const wanted = inputSize(oracle)
  const open = found.lines < wanted
  return finish(oracle, found.plane, questions, trace, open ? tooFew(found.lines, wanted, lines) : undefined)
}

const tooFew = (lines: number, wanted: number, how: BoundarySearchOptions['lines']): Shortfall => ({
  kind: 'singular',
  message:
    how === 'axes'
      ? `the answer changed along ${lines} of ${wanted} axes; the other weights are taken as 0. Begin nearer to the border, or with a larger spread.`
      : `${lines} points of the border were found where ${wanted} settle the plane; ask about more rows, or halve less often.`,
})

/** Random points, until both classes have been answered. */
async function scout(
  questions: Asking,
  { lines, maxQueries, spread }: BoundarySearchOptions,
  seed: number,
): Promise<[Float64Array[], Float64Array[]]> {
  const { bounds } = questions.info
  const rng = createRng(seed, 'boundary-search')
  const centre = Number.isFinite(bounds[0] + bounds[1]) ? (bounds[0] + bounds[1]) / 2 : clip(0, bounds)
  const sides: [Float64Array[], Float64Array[]] = [[], []]
  const spanning = lines === 'random' ? scoutsAnInput * inputSize(questions.info) : 0
  const count = Math.max(
    leastScouts,
    Math.round(scoutingShare * maxQueries),
    Math.min(spanning, Math.floor(mostScouting * maxQueries)),
  )
  for (let wave = 0, wide = spread; wave < swarms; wave++, wide *= swarm) {
    const points = Array.from({ length: Math.min(count, maxQueries - questions.asked) }, () =>
      Float64Array.from({ length: inputSize(questions.info) }, () =>
        Math.fround(clip(centre + wide * rng.normal(), bounds)),
      ),
    )
    const answers = await questions.ask(points)
    for (const [i, answer] of answers.entries()) sides[answer === 1 ? 1 : 0].push(points[i]!)
    if ((sides[0].length > 0 && sides[1].length > 0) || questions.refusal !== undefined) break
  }
  return sides
}

/** Halves lines between a point of one class and a point of the other; the plane through what is found. */
async function betweenPoints(
  questions: Asking,
  first: readonly Float64Array[],
  second: readonly Float64Array[],
  { maxQueries, halvings }: BoundarySearchOptions,
  note: (values?: Record<string, number>) => void,
): Promise<Found> {
  const count = Math.max(1, Math.floor((maxQueries - questions.asked) / halvings))
  const pairs: Line[] = []
  // Every pair once, along the diagonals, so that all points take part early.
  for (let turn = 0; turn < Math.max(first.length, second.length) && pairs.length < count; turn++)
    for (let i = 0; i < Math.min(first.length, second.length) && pairs.length < count; i++)
      pairs.push(
        first.length < second.length
          ? [first[i]!, second[(i + turn) % second.length]!]
          : [first[(i + turn) % first.length]!, second[i]!],
      )
  for (let halving = 0; halving < halvings && questions.asked < maxQueries; halving++) {
    await halve(questions, pairs, maxQueries, middle)
    note({ lines: pairs.length, halvings: halving + 1 })
    if (questions.refusal !== undefined) break
  }
  const plane = nullVector(pairs.map(([low, high]) => [...middle(low, high), 1]))
  const turned = facing(
    { weights: Float64Array.from(plane.slice(0, -1)), bias: plane.at(-1)! },
    second,
    first,
  )
  return { plane: turned, lines: pairs.length }
}

/**
 * From one point close to the border, along every axis to where the answer changes: w_i times the way is the same for
 * all of them (Lowd & Meek's line search).
 */
async function alongAxes(
  questions: Asking,
  first: readonly Float64Array[],
  second: readonly Float64Array[],
  { maxQueries, halvings }: BoundarySearchOptions,
  note: (values?: Record<string, number>) => void,
): Promise<Found> {
  const witness: Line[] = [[first[0]!, second[0]!]]
  for (let halving = 0; halving < approach && questions.asked < maxQueries; halving++)
    await halve(questions, witness, maxQueries, middle)
  const [start, other] = witness[0]!
  const distance = Math.sqrt(start.reduce((sum, value, i) => sum + (value - other[i]!) ** 2, 0))
  const { bounds } = questions.info
  const moved = (axis: number, way: number) =>
    start.map((value, i) => (i === axis ? Math.fround(clip(value + way, bounds)) : value))
  const ends = Array.from(start, (_, axis) => [
    moved(axis, reach * distance),
    moved(axis, -reach * distance),
  ]).flat()
  const answers = await questions.ask(ends.slice(0, Math.max(0, maxQueries - questions.asked)))
  const lines: Line[] = []
  const axisOf: number[] = []
  for (const [i, answer] of answers.entries()) {
    const axis = i >> 1
    if (answer !== 1 || axisOf.includes(axis)) continue
    const way = ends[i]![axis]! - start[axis]!
    // The border lies between almost nothing and the end; a logarithm needs a beginning above 0.
    lines.push([moved(axis, way * 2 ** -20), ends[i]!])
    axisOf.push(axis)
  }
  note({ lines: lines.length })
  const wayOf = (point: Float64Array, axis: number) => point[axis]! - start[axis]!
  const geometric = (line: number) => (low: Float64Array, high: Float64Array) => {
    const axis = axisOf[line]!
    const [near, far] = [wayOf(low, axis), wayOf(high, axis)]
    const length = Math.sqrt(near * far)
    return moved(axis, far > 0 ? length : -length)
  }
  for (let halving = 0; halving < halvings && questions.asked < maxQueries && lines.length > 0; halving++) {
    await halve(questions, lines, maxQueries, (low, high, line) => geometric(line)(low, high))
    note({ lines: lines.length, halvings: halving + 1 })
    if (questions.refusal !== undefined) break
  }
  const weights = new Float64Array(start.length)
  for (const [line, [low, high]] of lines.entries()) {
    const axis = axisOf[line]!
    const [near, far] = [wayOf(low, axis), wayOf(high, axis)]
    weights[axis] = 1 / (Math.sign(far) * Math.sqrt(near * far))
  }
  // At the start w·x + bias is −1 in this scale.
  const bias = -1 - weights.reduce((sum, weight, i) => sum + weight * start[i]!, 0)
  const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0)) || 1
  return {
    plane: { weights: weights.map((weight) => weight / length), bias: bias / length },
    lines: lines.length,
  }
}

const middle = (low: Float64Array, high: Float64Array): Float64Array =>
  low.map((value, i) => Math.fround((value + high[i]!) / 2))

/** Asks in the middle of as many lines as can be afforded, and keeps the half with the border in it. */
async function halve(
  questions: Asking,
  lines: Line[],
  maxQueries: number,
  between: (low: Float64Array, high: Float64Array, line: number) => Float64Array,
): Promise<void> {
  const affordable = lines.slice(0, Math.max(0, maxQueries - questions.asked))
  const points = affordable.map(([low, high], line) => between(low, high, line))
  for (const [line, answer] of (await questions.ask(points)).entries())
    lines[line]![answer === 1 ? 1 : 0] = points[line]!
}

/** The plane, or its negative, so that the points of class 1 lie above it. */
function facing(plane: Plane, above: readonly Float64Array[], below: readonly Float64Array[]): Plane {
  const height = (points: readonly Float64Array[]) =>
    points.reduce(
      (sum, point) => sum + plane.bias + point.reduce((all, value, i) => all + value * plane.weights[i]!, 0),
      0,
    ) / points.length
  if (height(above) >= height(below)) return plane
  return { weights: plane.weights.map((weight) => -weight), bias: -plane.bias }
}

function finish(
  oracle: DecisionOracle,
  { weights, bias }: Plane,
  questions: Asking,
  trace: TraceStep[],
  otherwise?: Shortfall,
): ExtractionResult {
  const shortfall =
    questions.shortfall('The border is used as far as it was found; ask again with more.') ?? otherwise
  return {
    surrogate: linearSurrogate(oracle, {
      weights: Float64Array.from({ length: 2 * weights.length }, (_, i) => (i % 2 ? weights[i >> 1]! : 0)),
      bias: Float64Array.of(0, bias),
    }),
    queriesUsed: questions.asked,
    trace,
    ...(shortfall && { shortfall }),
  }
}

export const entry: ExtractionEntry = {
  id: 'boundary-search',
  title: 'Boundary search',
  summary:
    'Ask for the class alone, close in on where it changes along many lines, and lay the plane through there.',
  family: 'extraction',
  access: 'decision',
  needs: [],
  paper: { cite: 'Lowd & Meek 2005', url: 'https://doi.org/10.1145/1081870.1081950' },
  defaults,
  parameters: [
    {
      kind: 'choice',
      name: 'lines',
      label: 'Lines',
      help: 'Along the axes from one point, a weight a line; or between points of both classes, and a plane through them all.',
      choices: [
        { value: 'axes', label: 'along the axes' },
        { value: 'random', label: 'between points' },
      ],
    },
    {
      kind: 'number',
      name: 'maxQueries',
      label: 'Queries',
      help: 'Rows that may be asked about in all.',
      min: 10,
      max: 5000,
      step: 10,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'halvings',
      label: 'Halvings',
      help: 'How often each line is halved. More finds each point better and leaves queries for fewer of them.',
      min: 1,
      max: 24,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'spread',
      label: 'Spread',
      symbol: 'σ',
      help: 'How far apart the first points lie. They must be of both classes.',
      min: 0.01,
      max: 10,
      step: 0.01,
      unit: '',
      scale: 'log',
    },
  ],
  run: boundarySearch,
}
