import {
  atLeast,
  atMost,
  attackImages,
  conclude,
  correctlyRead,
  counted,
  defineLab,
  examineRun,
  figure,
  finding,
  firstFinding,
  firstOf,
  gradientOf,
  greyLevels,
  logitsOf,
  maskedGradient,
  measureExamples,
  measurePerturbation,
  medianChange,
  notClipped,
  percent,
  quizCheckpoint,
  rangeRow,
  softmaxLogits,
  topOfRows,
  zeroGradient,
  type EvidenceRow,
  type Finding,
  type LedgerSummary,
  type MeasuredExamples,
  type Model,
  type Run,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

// Bars: see calibration.json, and docs/authoring.md for how they are chosen. Medians are held to the
// referee's own search on the same digits, so that an easy sample helps nobody.
const fooledBar = 95
const nearestBar = 1.22
const smallestBar = 1.13
const againBar = 1.22
const cleanBar = 95
const fartherBar = 1.25

const images = 50
const fartherImages = 40

interface Variant {
  /** Seeds of the image samples. */
  samples: { nearest: number; smallest: number; farther: number; again: number }
}

const base = { victim: { model: 'digits-cnn' }, dataset: 'mnist10k', split: 'test' } as const

export default defineLab<Variant>({
  variant: (rng) => ({
    samples: {
      nearest: rng.uint32(),
      smallest: rng.uint32(),
      farther: rng.uint32(),
      again: rng.uint32(),
    },
  }),
  checkpoints: {
    nearest: {
      accepts: 'adversarial-examples',
      task: async ({ samples }, trusted) =>
        taskFor(trusted, await trusted.model(base.victim.model), samples.nearest, images),
      grade: (submission) => gradeExamples(submission, nearestBar, passedNearest),
    },
    smallest: {
      accepts: 'adversarial-examples',
      task: async ({ samples }, trusted) =>
        taskFor(trusted, await trusted.model(base.victim.model), samples.smallest, images),
      grade: (submission) => gradeExamples(submission, smallestBar, passedSmallest),
    },
    'which-report': quizCheckpoint('which-report', guide.quizzes),
    farther: {
      accepts: 'model-weights',
      task: async ({ samples }, trusted) =>
        taskFor(trusted, await trusted.model(base.victim.model), samples.farther, fartherImages),
      grade: gradeFarther,
    },
    again: {
      accepts: 'adversarial-examples',
      async task({ samples }, trusted) {
        const task = await taskFor(trusted, await trusted.modelFrom('farther'), samples.again, images)
        return { ...task, victim: { ...base.victim, weightsFrom: 'farther' } }
      },
      grade: (submission) => gradeExamples(submission, againBar, passedAgain),
    },
  },
})

async function taskFor(trusted: Trusted, model: Model, seed: number, count: number): Promise<Task> {
  const dataset = await trusted.dataset(base.dataset)
  const sample = await correctlyRead({ model, dataset, split: base.split, seed, count })
  return { ...base, victim: { ...base.victim }, ...sample, values: {} }
}

async function gradeExamples(
  { task, artefact, trusted, ledger }: Submission<Variant>,
  bar: number,
  passed: (seen: Seen) => Finding,
) {
  if (artefact.kind !== 'adversarial-examples')
    throw new TypeError(`evasion-minimum-norm: got ${artefact.kind}`)
  const model = await (task.victim.weightsFrom
    ? trusted.modelFrom(task.victim.weightsFrom)
    : trusted.model(task.victim.model))
  const dataset = await trusted.dataset(task.dataset)
  const reference = middle((await nearestOnce(model, task, trusted)).distances)
  const limit = bar * reference
  const measured = await measureExamples({ task, examples: artefact, model, dataset, limit, norm: 'l2' })
  const median = medianChange(measured, 'l2')
  const seen: Seen = { measured, model, trusted, reference, limit, bar, median }
  const count = task.ids.length
  const rows = [
    atLeast(fooledBar, {
      id: 'fooled',
      name: 'Digits misread',
      detail: `${measured.hits} of ${count} digits`,
      measured: (100 * measured.hits) / count,
      unit: '%',
    }),
    // As a ratio, so that the bar is the same on every variant.
    atMost(bar, {
      id: 'median',
      name: 'Median change, L2, against the referee’s own',
      detail: Number.isFinite(median)
        ? `${figure(median)} against ${figure(reference)}; digits read rightly count as infinite`
        : `infinite: ${count - measured.hits} of ${count} digits are still read rightly`,
      measured: median / reference,
      never: !Number.isFinite(median),
      unit: '×',
      precision: 2,
      scaleMax: 2,
    }),
    rangeRow(measured),
  ]
  const far = Number.isFinite(median)
    ? `median change ${figure(median)}, ${figure(median / reference)} × the referee’s`
    : 'the median change is infinite'
  return conclude({
    headline: `${measured.hits} of ${count} digits misread; ${far}`,
    rows,
    gallery: measured.gallery,
    score: { value: (100 * measured.hits) / count, unit: '%' },
    finding: rows.every((row) => row.satisfied) ? passed(seen) : await failedFinding(seen, ledger),
  })
}

/** What a finding may look at. */
interface Seen {
  measured: MeasuredExamples
  model: Model
  trusted: Trusted
  /** Median of the referee's own search on the same digits, and the limit that follows from it. */
  reference: number
  limit: number
  bar: number
  /** Failures counted as infinite. */
  median: number
}

async function gradeFarther({ task, artefact, trusted }: Submission<Variant>) {
  if (artefact.kind !== 'model-weights') throw new TypeError(`farther: got ${artefact.kind}`)
  const { test } = await trusted.dataset(task.dataset)
  const shipped = await trusted.model(task.victim.model)
  const repaired = await trusted.modelWithWeights(task.victim.model, artefact.tensors)
  try {
    const all = Array.from({ length: test.count }, (_, i) => i)
    const read = topOfRows(
      await logitsOf(repaired, test.pixels(all), [test.count, ...shipped.inputShape]),
      test.count,
    )
    const right = read.filter((digit, i) => digit === test.labels[i]).length
    const clean = (100 * right) / test.count
    const before = middle((await nearestOnce(shipped, task, trusted)).distances)
    // A digit that the repaired model misreads by itself is at distance 0.
    const { distances, held } = await nearestMisread(repaired, task, trusted)
    const after = middle(distances)
    const gain = after / before
    const rows = [
      atLeast(cleanBar, {
        id: 'clean',
        name: 'Read rightly, nobody attacking',
        detail: `${right} of ${test.count} test digits`,
        measured: clean,
        unit: '%',
        precision: 1,
      }),
      atLeast(fartherBar, {
        id: 'farther',
        name: 'Median distance to the nearest misread image, against before',
        detail: `${figure(after)}, and ${figure(before)} before; ${fartherImages} digits, L2`,
        measured: Number.isFinite(gain) ? gain : 0,
        unit: '×',
        precision: 2,
        scaleMax: 2,
      }),
    ]
    const [cleanRow, fartherRow] = rows as [EvidenceRow, EvidenceRow]
    return conclude({
      headline: `The borders are ${figure(gain)} × as far away`,
      rows,
      score: { value: 100 * (gain - 1), unit: '% farther' },
      finding:
        firstFinding([
          !cleanRow.satisfied &&
            finding(
              'clean-lost',
              'The repair costs too much on honest digits.',
              `${figure(clean)} % of the clean digits are read rightly, and ${cleanBar} % are needed. A digit misread by itself is at distance 0, so this costs the median, too.`,
              'lower ε, or train for an epoch more.',
            ),
          held > 0 &&
            finding(
              'not-reached',
              'The referee found no way across for some digits.',
              `${counted(held, 'digit')} of ${fartherImages} could not be misread by the referee’s search, which follows the borders of this model. Borders that no search finds have nearly always been hidden, not moved: scores that do not change, or change without a slope.`,
              'train with the knobs of this bench.',
            ),
          !fartherRow.satisfied &&
            finding(
              'not-farther',
              gain < 1.1 ? 'The borders are where they were.' : 'The borders moved, and not far enough.',
              `Half of the digits are misread after a change of ${figure(after)}; before the repair it was ${figure(before)}. That is ${figure(gain)} × as far, and ${fartherBar} × is needed.`,
              'use the recipe that starts at a random point, with an ε around 0.2; the plain step teaches the plain step.',
            ),
        ]) ??
        finding(
          'farther',
          'Every border has moved, and every one is still there.',
          `Half of the digits now need a change of ${figure(after)} or more, against ${figure(before)} before, and ${figure(clean)} % are read rightly when nobody attacks. None is out of reach: the farthest of the ${fartherImages} needs ${figure(Math.max(...distances))}.`,
          'measure it with your own attacks, digit by digit.',
        ),
    })
  } finally {
    repaired.dispose()
  }
}

// Measuring

/** How the referee searches: by the borders themselves, so that scaled scores or a flat loss hide nothing. */
const search = { attack: 'fab', options: { norm: 'l2', steps: 20, classes: 3 }, seed: 0 } as const

interface Search {
  /** L2 distance of the nearest misread image of each digit; Infinity where none was found, 0 for one misread already. */
  distances: number[]
  /** Digits for which none was found. */
  held: number
}

/** Of the task's own victim, which many hand-ins attack: the longest part of a verdict, and the same in each. */
const nearestOnce = (model: Model, task: Task, trusted: Trusted) =>
  trusted.once(`nearest ${task.ids.join()}`, () => nearestMisread(model, task, trusted))

async function nearestMisread(
  model: Model,
  { split, ids, labels, dataset }: Task,
  trusted: Trusted,
): Promise<Search> {
  const originals = (await trusted.dataset(dataset))[split].pixels(ids)
  const found = await attackImages(model, { pixels: originals, labels }, search)
  const { l2 } = measurePerturbation(originals, found.pixels, ids.length, model.bounds)
  const distances = Array.from(l2, (length, row) => (found.success[row] ? length : Infinity))
  return { distances, held: distances.filter((distance) => distance === Infinity).length }
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  return sorted.length % 2 ? sorted[Math.floor(half)]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** By how much the right class leads the best other one: below 0 the digit is misread. */
const lead = (logits: readonly number[], truth: number) =>
  logits[truth]! - Math.max(...logits.filter((_, k) => k !== truth))

// Findings

const passedNearest = ({ measured, median, reference }: Seen) =>
  finding(
    'at-the-border',
    'Each digit stopped just beyond its nearest border.',
    `${measured.hits} of ${measured.task.ids.length} digits are misread, half of them after a change of ${figure(median)} or less. The referee’s longer search needs ${figure(reference)}: your planes are a little off, because the borders bend.`,
    'weigh nearness against being misread, and let an optimiser find the bend.',
  )

const passedSmallest = ({ measured, median, reference }: Seen) =>
  finding(
    'smallest',
    'This is about as near as anyone gets.',
    `${measured.hits} of ${measured.task.ids.length} digits are misread, with a median change of ${figure(median)} where the referee’s own search needs ${figure(reference)}. Nobody proved that there is nothing nearer: this is an upper bound, and a good one.`,
    'answer the question on two reports.',
  )

const passedAgain = ({ measured, median, reference }: Seen) =>
  finding(
    'a-longer-way',
    'A longer way, and no wall.',
    `${measured.hits} of ${measured.task.ids.length} digits of your repaired model are misread, with a median change of ${figure(median)}; the referee’s search needs ${figure(reference)}. The defence is worth the distance that it added, and a number that says so is worth as much as the best attack behind it.`,
    'read the recap; then make the defence stronger in the lab on adversarial training.',
  )

async function failedFinding(seen: Seen, ledger?: LedgerSummary): Promise<Finding> {
  const run = await examineRun(seen.measured, seen.model, { ledger })
  return (
    firstOf([greyLevels, notClipped, softmaxLogits, zeroGradient, maskedGradient], run) ??
    pixelsFinding(seen) ??
    (await directionFinding(seen, run)) ??
    finding(
      'longer-than-needed',
      'The changes are longer than they need to be.',
      `${seen.measured.hits} of ${seen.measured.task.ids.length} digits are misread, with a median change of ${figure(seen.median)}: ${figure(seen.median / seen.reference)} × the referee’s ${figure(seen.reference)}, and ${seen.bar} × is the limit.`,
      'compare the borders of all classes and take the nearest, ask for the slopes anew after each step, and keep the nearest result that you meet.',
    )
  )
}

/** What the pixels alone tell. */
function pixelsFinding({ measured }: Seen): Finding | undefined {
  const { originals, pixels, bounds, perturbation } = measured
  const edge = { all: 0, moved: 0 }
  originals.forEach((value, i) => {
    if (value !== bounds[0] && value !== bounds[1]) return
    edge.all++
    if (pixels[i] !== value) edge.moved++
  })
  return firstFinding([
    perturbation.moved === 0 &&
      finding(
        'unchanged',
        'The digits came back as they were.',
        `Not one of ${perturbation.count} images was changed. Either nothing was ever good enough to be kept, or it was made and not returned: tensors never change in place, and tf.add(x, move) leaves x alone.`,
        'print by how much the right class leads after the first steps. It should shrink; if it grows, a sign is wrong.',
      ),
    edge.moved < 0.01 * edge.all &&
      finding(
        'frozen-pixels',
        'Pixels of exactly 0 and 1 never moved.',
        `${counted(edge.moved, 'pixel')} of the ${edge.all} that were pure paper or pure ink moved, and those are ${percent(edge.all / originals.length)} of all. Their w is infinite, and no gradient brings it back.`,
        'pull the pixels in from the ends before you take the inverse of tanh: 0.999 · (2x − 1).',
      ),
  ])
}

/** What scores and directions tell. */
async function directionFinding(
  { measured, model, limit, reference, median }: Seen,
  { direction }: Run,
): Promise<Finding | undefined> {
  const { gallery, hits, perturbation, success, task, originals, shape, pixels } = measured
  const count = task.ids.length
  const leads = gallery.map(({ truth, logitsBefore, logitsAfter }) => ({
    before: lead(logitsBefore, truth),
    after: lead(logitsAfter, truth),
  }))
  const share = (holds: (row: number) => boolean) => leads.filter((_, row) => holds(row)).length / count
  const lengths = Array.from(perturbation.l2)
  const ofSuccesses = middle(lengths.filter((_, row) => success[row]))
  const fewFooled = hits < (fooledBar / 100) * count
  const held = count - hits
  const beyond = middle(leads.flatMap(({ after }, row) => (success[row] ? [-after] : [])))
  const shallow = middle(leads.map(({ before }) => before))
  const along = alignment(
    originals,
    pixels,
    await gradientOf(model, originals, shape, task.labels, { kind: 'margin' }),
    count,
  )
  const longer = `The median change is ${figure(median)}, ${figure(median / reference)} × the referee’s ${figure(reference)}.`
  const stopped = finding(
    'stopped-short',
    'Stopped on the way.',
    `${held} of ${count} digits are still read rightly, although the lead of the right class shrank for ${percent(share((row) => leads[row]!.after < leads[row]!.before))} of all. Borders bend, so one step rarely reaches them.`,
    'repeat: ask for the slopes where the digit stands now, until it is misread.',
  )
  return firstFinding([
    share((row) => leads[row]!.after > leads[row]!.before) > 0.8 &&
      finding(
        'wrong-way',
        'You went away from the borders.',
        `For ${percent(share((row) => leads[row]!.after > leads[row]!.before))} of the digits the right class leads by more than before: ${counted(hits, 'digit')} misread.`,
        'the slope of “class k minus the right class” points to the border of k: add the step.',
      ),
    fewFooled &&
      share((row) => !success[row] && leads[row]!.after < 0.02 * Math.max(leads[row]!.before, 0.1)) >
        0.5 * (held / count) &&
      finding(
        'on-the-border',
        'They stand on the border, not beyond it.',
        `${held} of ${count} digits are still read rightly, most of them with a lead of less than a fiftieth of what it was. On the border rounding decides, and here it decided against you.`,
        'go 2 % further than the whole way so far.',
      ),
    fewFooled &&
      hits > 0 &&
      ofSuccesses <= limit &&
      finding(
        'few-but-near',
        'A low median, over the few that fell.',
        `Half of the ${counted(hits, 'digit')} that are misread needed ${figure(ofSuccesses)} or less, which looks better than the referee’s ${figure(reference)}. But ${held} of ${count} held firm, and those are the far ones. Counted as infinite, ${Number.isFinite(median) ? `they make it ${figure(median)}` : 'they make the median infinite'}.`,
        'give it more steps, larger ones, or a larger c, until next to all are misread. Then compare.',
      ),
    hits < count / 2 && stopped,
    direction.evenness > 0.7 &&
      finding(
        'sign-step',
        'Every pixel moved alike.',
        `The pixels that could move went by ${percent(direction.evenness)} of the farthest one on average. That is the shortest way in L∞ and a long way in L2. ${longer}`,
        'move each pixel in proportion to its slope: divide by the length of the slope, not by its sign.',
      ),
    beyond > 0.1 * shallow &&
      finding(
        'past-the-border',
        'Far beyond the border.',
        `The wrong class leads by ${figure(beyond)} in the middle of the misread digits, and the right one led by ${figure(shallow)} before. ${longer}`,
        'stop as soon as a digit is misread. The way to a plane is its gap over the length of its slope, along a way of length 1; and a c or κ that is too large buys certainty with distance.',
      ),
    along > 0.85 &&
      finding(
        'first-slope',
        'One straight line, along the slope at the start.',
        `The changes lie along the first slope: the cosine between them is ${figure(along)}. ${longer}`,
        'ask for the slopes anew where the digit stands, and compare the borders of all classes, not only of the runner-up.',
      ),
    fewFooled && stopped,
  ])
}

/** Cosine between change and slope, over the pixels that are free to follow it; the middle row's. */
function alignment(
  originals: Float32Array,
  pixels: Float32Array,
  slope: Float32Array,
  count: number,
): number {
  const size = originals.length / count
  return middle(
    Array.from({ length: count }, (_, row) => {
      let [both, ours, theirs] = [0, 0, 0]
      for (let i = row * size; i < (row + 1) * size; i++) {
        const change = pixels[i]! - originals[i]!
        const stopped = pixels[i]! <= 1e-6 || pixels[i]! >= 1 - 1e-6
        if (stopped) continue
        both += change * slope[i]!
        ours += change * change
        theirs += slope[i]! * slope[i]!
      }
      return both / Math.max(Math.sqrt(ours * theirs), 1e-12)
    }),
  )
}
