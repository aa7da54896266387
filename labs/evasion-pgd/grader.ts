import {
  atLeast,
  atMost,
  attackImages,
  conclude,
  correctlyRead,
  createRng,
  defineLab,
  examineRun,
  faults,
  figure,
  finding,
  firstFinding,
  firstOf,
  largestIn,
  logitsOf,
  longStep,
  measureExamples,
  normRow,
  percent,
  quizCheckpoint,
  rangeRow,
  rightUnderAttack,
  surerRows,
  topOfRows,
  type BudgetNorm,
  type EvidenceRow,
  type Finding,
  type MeasuredExamples,
  type Model,
  type Run,
  type Submission,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

/** Budgets: the largest change of a pixel, and the length of the whole change. */
const linfLimit = 0.2
const l2Limit = 1.5

// Bars: see calibration.json, and docs/authoring.md for how they are chosen. All are shares or counts of digits.
const linfLeftBar = 3
const l2LeftBar = 32
const partHitsBar = 18
const cleanBar = 92
const quickBar = 30
const missedBar = 5

const images = 100
/** Digits for each of the three broken attacks. */
const partImages = 20
const partNames = ['first', 'second', 'third'] as const
const cleanImages = 1000
const quickImages = 200
const againImages = 60

/** The test that a hardened model is shown to pass, and the one that tells its number. */
const quickTest = {
  attack: 'pgd',
  options: { epsilon: linfLimit, norm: 'linf', steps: 3, stepSize: linfLimit / 2 },
} as const
const strongTest = {
  attack: 'pgd',
  options: {
    epsilon: linfLimit,
    norm: 'linf',
    steps: 30,
    stepSize: linfLimit / 8,
    randomStart: true,
    restarts: 1,
  },
} as const

type Samples = Record<'linf' | 'l2' | 'broken' | 'hardened' | 'again' | 'start', number>
interface Variant {
  /** Seeds of the image samples, and of the referee's random starts. */
  samples: Samples
}

const base = { victim: { model: 'digits-cnn' }, dataset: 'mnist10k', split: 'test' } as const

export default defineLab<Variant>({
  variant: (rng) => ({
    samples: {
      linf: rng.uint32(),
      l2: rng.uint32(),
      broken: rng.uint32(),
      hardened: rng.uint32(),
      again: rng.uint32(),
      start: rng.uint32(),
    },
  }),
  checkpoints: {
    linf: {
      accepts: 'adversarial-examples',
      task: (variant, trusted) => taskFor(trusted, variant.samples.linf, images, linfLimit),
      grade: (submission) => gradePushed(submission, 'linf', linfLimit, linfLeftBar),
    },
    l2: {
      accepts: 'adversarial-examples',
      task: (variant, trusted) => taskFor(trusted, variant.samples.l2, images, l2Limit),
      grade: (submission) => gradePushed(submission, 'l2', l2Limit, l2LeftBar),
    },
    'repaired-attacks': {
      accepts: 'adversarial-examples',
      task: (variant, trusted) => taskFor(trusted, variant.samples.broken, 3 * partImages, linfLimit),
      grade: gradeRepairedAttacks,
    },
    'three-faults': quizCheckpoint('three-faults', guide.quizzes),
    hardened: {
      accepts: 'model-weights',
      async task(variant, trusted) {
        const { test } = await trusted.dataset(base.dataset)
        const all = Array.from({ length: test.count }, (_, i) => i)
        const ids = createRng(variant.samples.hardened, 'sample').shuffle(all).slice(0, quickImages)
        const labels = ids.map((id) => test.labels[id]!)
        return { ...base, victim: { ...base.victim }, ids, labels, values: { epsilon: linfLimit } }
      },
      grade: gradeHardened,
    },
    'honest-number': {
      accepts: 'adversarial-examples',
      task: (variant, trusted) => taskFor(trusted, variant.samples.again, againImages, linfLimit, 'hardened'),
      grade: gradeHonestNumber,
    },
  },
})

/** Digits that the victim reads rightly: the shipped model, or the one handed in for another checkpoint. */
async function taskFor(trusted: Trusted, seed: number, count: number, epsilon: number, weightsFrom?: string) {
  const model = weightsFrom ? await trusted.modelFrom(weightsFrom) : await trusted.model(base.victim.model)
  const dataset = await trusted.dataset(base.dataset)
  const sample = await correctlyRead({ model, dataset, split: base.split, seed, count })
  const victim = { ...base.victim, ...(weightsFrom ? { weightsFrom } : {}) }
  return { ...base, victim, ...sample, values: { epsilon } }
}

async function measure(
  { task, artefact, trusted }: Submission<Variant>,
  model: Model,
  norm: BudgetNorm,
  limit: number,
): Promise<MeasuredExamples> {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`evasion-pgd: got ${artefact.kind}`)
  const dataset = await trusted.dataset(task.dataset)
  return measureExamples({ task, examples: artefact, model, dataset, limit, norm })
}

const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)

// Pushed until it breaks, in either norm

async function gradePushed(submission: Submission<Variant>, norm: BudgetNorm, limit: number, bar: number) {
  const { task, trusted, ledger } = submission
  const model = await trusted.model(task.victim.model)
  const measured = await measure(submission, model, norm, limit)
  const left = task.ids.length - measured.hits
  const share = (100 * left) / task.ids.length
  const rows = [
    atMost(bar, {
      id: 'left',
      name: 'Digits still read rightly',
      detail: `${left} of ${task.ids.length} digits`,
      measured: share,
      unit: '%',
    }),
    normRow(measured),
    rangeRow(measured),
  ]
  const run = await examineRun(measured, model, { ledger })
  return conclude({
    headline: `${left} of ${task.ids.length} digits withstand it`,
    rows,
    gallery: measured.gallery,
    score: { value: 100 - share, unit: '%' },
    finding: isMet(rows) ? pushedFinding(run, left) : failedPush(run, bar),
  })
}

function pushedFinding(run: Run, left: number): Finding {
  const { norm, task, limit } = run.measured
  const stride = longStep(run)
  const aside = stride ? ` ${stride.cause}` : ''
  return norm === 'linf'
    ? finding(
        'pushed',
        'Pushed until it broke.',
        `${left} of ${task.ids.length} digits are still read rightly, and no pixel moved by more than ${limit}. One step of the same ${limit} leaves about one in ten: the budget was never the limit, the attack was.${aside}`,
        'the same loop with another ruler: a budget on the length of the change.',
      )
    : finding(
        'pushed',
        'Another ball, the same loop.',
        `${left} of ${task.ids.length} digits are still read rightly within a length of ${limit}. Spread evenly over 784 pixels that is ${figure(limit / 28)} a pixel; the attack spends it where it counts.${aside}`,
        'now look at three attacks that other people wrote.',
      )
}

function failedPush(run: Run, bar: number): Finding {
  const { hits, task, norm, limit } = run.measured
  const left = task.ids.length - hits
  return (
    firstFinding([firstOf(faults, run), slopeAsStep(run), signInL2(run), oneStep(run)]) ??
    finding(
      'below-bar',
      'More of them withstand than should.',
      `${left} of ${task.ids.length} digits are still read rightly, and at most ${bar} % may be. The farthest went ${figure(largestIn(run.measured, norm))} of ${limit}, and ${percent(run.direction.agreement)} of the moved pixels follow the first gradient.`,
      'take more steps, 10 of ε / 4, and ask for the gradient anew before each.',
    )
  )
}

/** All of the way along the first gradient: one step, or many with a gradient that was asked for once. */
function oneStep({ measured, direction, trace = [] }: Run): Finding | undefined {
  const { hits, task, limit, norm, perturbation } = measured
  const even = norm === 'l2' || direction.evenness >= 0.8
  if (perturbation.moved === 0 || direction.agreement < 0.9 || !even) return undefined
  const asked =
    trace.length === 0
      ? ''
      : trace.length === 1
        ? ' Your program asked for one gradient.'
        : ` Your program asked for ${trace.length}.`
  return finding(
    'one-step',
    'One look at the slope is not enough.',
    `${percent(direction.agreement)} of the moved pixels follow the gradient at the original digit, ${figure(largestIn(measured, norm))} of ${limit} far: ${hits} of ${task.ids.length} digits misread.${asked} The slope has turned long before the edge of the ball.`,
    'take small steps, say ε / 4, and ask for the gradient at the new place before each.',
  )
}

/** The gradient itself as a step under an L2 budget: as short as the slope of a model that is sure of itself. */
function slopeAsStep({ measured }: Run): Finding | undefined {
  const { norm, limit, perturbation, task } = measured
  const short = [...perturbation.l2].filter((length) => length < limit / 4).length
  if (norm !== 'l2' || perturbation.moved === 0 || short < task.ids.length / 3) return undefined
  return finding(
    'slope-as-step',
    'Your step is as long as the slope, and the slope is short.',
    `${short} of ${task.ids.length} digits moved by less than a quarter of ${limit}, the farthest by ${figure(largestIn(measured, 'l2'))}. Where the model is sure of its answer its gradient is tiny, and a step of that length goes nowhere.`,
    'divide the gradient by its own length first; then a step is as long as you say.',
  )
}

/** The L∞ step under an L2 budget: every pixel moves by the same little, and the length is spent on all of them. */
function signInL2({ measured, direction }: Run): Finding | undefined {
  const { norm, perturbation, hits, task } = measured
  const share = perturbation.moved / measured.pixels.length
  if (norm !== 'l2' || perturbation.moved === 0 || direction.evenness < 0.35 || share < 0.4) return undefined
  return finding(
    'sign-in-l2',
    'You spend the length on pixels that hardly matter.',
    `${percent(share)} of all pixels moved, by ${percent(direction.evenness)} of the farthest on average: ${hits} of ${task.ids.length} digits misread. Under a budget on the length, a pixel that is twice as steep deserves twice the change.`,
    'leave tf.sign out: divide the gradient by its own length instead.',
  )
}

// Three attacks from three reports

async function gradeRepairedAttacks(submission: Submission<Variant>) {
  const { task, artefact, trusted } = submission
  const model = await trusted.model(task.victim.model)
  const measured = await measure(submission, model, 'linf', linfLimit)
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`evasion-pgd: got ${artefact.kind}`)
  const parts = await Promise.all(
    partNames.map((_, n) => {
      const from = n * partImages
      const to = from + partImages
      const size = artefact.pixels.length / task.ids.length
      const part = {
        ...submission,
        task: { ...task, ids: task.ids.slice(from, to), labels: task.labels.slice(from, to) },
        artefact: {
          ...artefact,
          ids: artefact.ids.slice(from, to),
          shape: [partImages, ...artefact.shape.slice(1)],
          pixels: artefact.pixels.slice(from * size, to * size),
        },
      }
      return measure(part, model, 'linf', linfLimit)
    }),
  )
  const rows = [
    ...parts.map((part, n) =>
      atLeast(partHitsBar, {
        id: partNames[n]!,
        name: `Misread by the ${partNames[n]} attack`,
        detail: `${part.hits} of ${partImages} digits`,
        measured: part.hits,
        precision: 0,
        scaleMax: partImages,
      }),
    ),
    normRow(measured),
    rangeRow(measured),
  ]
  const sound = parts.map(
    (part) => part.hits >= partHitsBar && normRow(part).satisfied && rangeRow(part).satisfied,
  )
  const broken = sound.indexOf(false)
  return conclude({
    headline: `${sound.filter(Boolean).length} of 3 attacks repaired`,
    rows,
    gallery: measured.gallery,
    score: { value: (100 * sound.filter(Boolean).length) / 3, unit: '%' },
    finding:
      broken < 0
        ? finding(
            'three-repaired',
            'Three reports, one number.',
            `Repaired, the three attacks misread ${parts.map((part) => part.hits).join(', ')} of ${partImages} digits each. They never disagreed about the model, only about how hard they had tried.`,
            'name the three faults from their traces alone.',
          )
        : await partFinding(parts[broken]!, broken, submission, model),
  })
}

async function partFinding(
  part: MeasuredExamples,
  n: number,
  { ledger }: Submission<Variant>,
  model: Model,
): Promise<Finding> {
  const name = partNames[n]!
  const own = ledger?.trace?.filter(({ values }) => values.from === n * partImages)
  const run = await examineRun(part, model, ledger && own ? { ledger: { ...ledger, trace: own } } : {})
  const { id, title, cause, next } =
    firstOf(faults, run) ??
    oneStep(run) ??
    finding(
      'below-bar',
      'It withstands too often.',
      `${part.hits} of ${partImages} digits are misread, and ${partHitsBar} are needed.`,
      'compare its trace with that of your own attack, line by line.',
    )
  return { id, title: `The ${name} attack: ${title.charAt(0).toLowerCase()}${title.slice(1)}`, cause, next }
}

// A hardened model, and the test it passes

async function gradeHardened({ task, artefact, trusted, variant }: Submission<Variant>) {
  if (artefact.kind !== 'model-weights') throw new TypeError(`evasion-pgd: got ${artefact.kind}`)
  const dataset = await trusted.dataset(task.dataset)
  const shipped = await trusted.model(task.victim.model)
  const model = await trusted.modelWithWeights(task.victim.model, artefact.tensors)
  try {
    const some = Array.from({ length: cleanImages }, (_, i) => i)
    const logits = await logitsOf(model, dataset.test.pixels(some), [cleanImages, ...shipped.inputShape])
    const read = topOfRows(logits, cleanImages)
    const right = some.filter((id) => read[id] === dataset.test.labels[id]).length
    const attack = { ...quickTest, options: { ...quickTest.options }, seed: variant.samples.start }
    const { right: held } = await rightUnderAttack(model, task, dataset, attack)
    const { right: heldBefore } = await trusted.once('held before', () =>
      rightUnderAttack(shipped, task, dataset, attack),
    )
    const clean = (100 * right) / cleanImages
    const quick = (100 * held) / task.ids.length
    const rows = [
      atLeast(cleanBar, {
        id: 'clean',
        name: 'Read rightly, nobody attacking',
        detail: `${right} of ${cleanImages} test digits`,
        measured: clean,
        unit: '%',
        precision: 1,
      }),
      atLeast(quickBar, {
        id: 'quick',
        name: 'Read rightly under the quick test',
        detail: `${held} of ${task.ids.length} digits under three steps of ε / 2; ${heldBefore} before the hardening`,
        measured: quick,
        unit: '%',
      }),
    ]
    const [cleanRow, quickRow] = rows
    return conclude({
      headline: `${held} of ${task.ids.length} digits withstand the quick test`,
      rows,
      score: { value: quick, unit: '%' },
      finding: isMet(rows)
        ? finding(
            'passes-the-quick-test',
            'It passes the quick test.',
            `${figure(quick)} % of the digits are read rightly under three steps of ε / 2, against ${figure((100 * heldBefore) / task.ids.length)} % before, and ${figure(clean)} % when nobody attacks. Three steps are what the quick test takes; nobody else has to stop there.`,
            'be nobody else: find out what the number is worth.',
          )
        : firstFinding([
            !cleanRow!.satisfied &&
              finding(
                'clean-lost',
                'The hardening costs too much on honest digits.',
                `${figure(clean)} % of the clean digits are read rightly, and ${cleanBar} % are needed.`,
                'train longer, or at a smaller ε.',
              ),
            quick < (100 * heldBefore) / task.ids.length + 5 &&
              finding(
                'unhardened',
                'The hardening changed next to nothing.',
                `${figure(quick)} % of the digits withstand three steps of ε / 2; before it were ${figure((100 * heldBefore) / task.ids.length)} %.`,
                `train on attacked digits, at an ε near ${linfLimit}.`,
              ),
            !quickRow!.satisfied &&
              finding(
                'half-hardened',
                'It withstands one step better than three.',
                `${figure(quick)} % of the digits withstand three steps of ε / 2, and ${quickBar} % are needed.`,
                'train on steps that begin at a random point of the ball (fast training), at an ε near 0.2, or an epoch longer.',
              ),
          ]),
    })
  } finally {
    model.dispose()
  }
}

// What the number is worth

async function gradeHonestNumber(submission: Submission<Variant>) {
  const { task, trusted, variant, ledger } = submission
  const model = await trusted.modelFrom('hardened')
  const dataset = await trusted.dataset(task.dataset)
  const measured = await measure(submission, model, 'linf', linfLimit)
  const originals = { pixels: dataset[task.split].pixels(task.ids), labels: task.labels }
  const seed = variant.samples.start
  const under = (test: typeof quickTest | typeof strongTest) =>
    trusted.once(test === quickTest ? 'quick' : 'strong', () =>
      attackImages(model, originals, { ...test, options: { ...test.options }, seed }),
    )
  const [quick, strong] = [await under(quickTest), await under(strongTest)]
  const missed = strong.success.filter((hit, row) => hit && !measured.success[row]).length
  const count = task.ids.length
  const left = count - measured.hits
  const rows = [
    atMost(missedBar, {
      id: 'missed',
      name: 'Digits that the referee breaks and you do not',
      detail: `of ${count}; withstanding: ${count - quick.hits} the quick test, ${count - strong.hits} the referee, ${left} you`,
      measured: missed,
      precision: 0,
      scaleMax: count,
    }),
    normRow(measured),
    rangeRow(measured),
  ]
  return conclude({
    headline: `${left} of ${count} digits withstand you`,
    rows,
    gallery: measured.gallery,
    score: { value: (100 * measured.hits) / count, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'honest-number',
          'That is the number to report.',
          `The quick test leaves ${count - quick.hits} of ${count} digits standing, your attack ${left}. The model is the same. A robust accuracy is an upper bound, and it is worth what was spent on bringing it down.`,
          'train on the stronger attack, and see how much of it lasts: that is the lab on adversarial training.',
        )
      : await weakFinding(await examineRun(measured, model, { ledger }), {
          missed,
          quickLeft: count - quick.hits,
          strongLeft: count - strong.hits,
        }),
  })
}

async function weakFinding(
  run: Run,
  { missed, quickLeft, strongLeft }: { missed: number; quickLeft: number; strongLeft: number },
): Promise<Finding> {
  const { task, hits } = run.measured
  const left = task.ids.length - hits
  const steps = run.trace?.length ?? 0
  const asked = steps > 0 ? ` Your program asked for ${steps} gradients of all digits.` : ''
  return (
    firstFinding([
      surerRows(run.measured) < 0.8 * task.ids.length &&
        left >= quickLeft - 2 &&
        run.measured.perturbation.largest >= linfLimit / 2 &&
        run.measured.perturbation.largest <= linfLimit + 1e-6 &&
        finding(
          'quick-test',
          'That is the quick test again.',
          `${left} of ${task.ids.length} digits withstand you, ${quickLeft} withstand the defender's own test, and ${strongLeft} the referee.${asked}`,
          'spend more: 30 steps of ε / 8, a random start, two restarts, and for each digit the best of them.',
        ),
      firstOf(faults, run),
    ]) ??
    finding(
      'below-bar',
      'Some of them would still fall.',
      `${left} of ${task.ids.length} digits withstand you; the referee breaks ${missed} of them.${asked}`,
      'add restarts: for each digit one lucky start is enough.',
    )
  )
}
