import {
  atLeast,
  boundsRules,
  conclude,
  correctlyRead,
  defineLab,
  examineRun,
  faults,
  figure,
  finding,
  firstFinding,
  firstOf,
  gradientOf,
  linfRow,
  logitsOf,
  measureExamples,
  percent,
  quizCheckpoint,
  rangeRow,
  surerRows,
  topOfRows,
  compareDirection,
  createRng,
  type EvidenceRow,
  type Finding,
  type MeasuredExamples,
  type Model,
  type Run,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

/** Budget of every checkpoint, in L∞ on pixels in [0, 1]. */
const epsilon = 0.25

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const fooledBar = 75
const targetedBar = 21
const cleanBar = 94
const repairedBar = 40
const againBar = 80

const fooledImages = 100
const targetedImages = 50
const repairedImages = 500
const againImages = 100

/** Targets that one right step reaches often enough, and an untargeted step too seldom. */
const targets = [2, 3, 4, 5, 7, 8]

interface Variant {
  target: number
  /** Seeds of the image samples. */
  samples: { fooled: number; targeted: number; repaired: number; again: number }
}

const base = { victim: { model: 'digits-cnn' }, dataset: 'mnist10k', split: 'test' } as const

export default defineLab<Variant>({
  variant: (rng) => ({
    target: targets[rng.below(targets.length)]!,
    samples: { fooled: rng.uint32(), targeted: rng.uint32(), repaired: rng.uint32(), again: rng.uint32() },
  }),
  checkpoints: {
    fooled: {
      accepts: 'adversarial-examples',
      async task(variant, trusted) {
        const sample = await sampleFor(
          trusted,
          await trusted.model(base.victim.model),
          variant.samples.fooled,
          fooledImages,
        )
        return { ...base, victim: { ...base.victim }, ...sample, values: { epsilon } }
      },
      grade: gradeFooled,
    },
    targeted: {
      accepts: 'adversarial-examples',
      async task({ target, samples }, trusted) {
        const model = await trusted.model(base.victim.model)
        const sample = await sampleFor(
          trusted,
          model,
          samples.targeted,
          targetedImages,
          (label) => label !== target,
        )
        return { ...base, victim: { ...base.victim }, ...sample, values: { epsilon, target } }
      },
      grade: gradeTargeted,
    },
    'why-sign': quizCheckpoint('why-sign', guide.quizzes),
    repaired: {
      accepts: 'model-weights',
      async task(variant, trusted) {
        const { test } = await trusted.dataset(base.dataset)
        const order = createRng(variant.samples.repaired, 'sample').shuffle(
          Array.from({ length: test.count }, (_, i) => i),
        )
        const ids = order.slice(0, repairedImages)
        return {
          ...base,
          victim: { ...base.victim },
          ids,
          labels: ids.map((id) => test.labels[id]!),
          values: { epsilon },
        }
      },
      grade: gradeRepaired,
    },
    'broken-again': {
      accepts: 'adversarial-examples',
      async task(variant, trusted) {
        const sample = await sampleFor(
          trusted,
          await trusted.modelFrom('repaired'),
          variant.samples.again,
          againImages,
        )
        return {
          ...base,
          victim: { ...base.victim, weightsFrom: 'repaired' },
          ...sample,
          values: { epsilon },
        }
      },
      grade: gradeAgain,
    },
  },
})

async function sampleFor(
  trusted: Trusted,
  model: Model,
  seed: number,
  count: number,
  accept?: (label: number) => boolean,
) {
  const dataset = await trusted.dataset(base.dataset)
  return correctlyRead({ model, dataset, split: base.split, seed, count, ...(accept ? { accept } : {}) })
}

async function gradeFooled(submission: Submission<Variant>) {
  const { task, trusted } = submission
  const model = await trusted.model(task.victim.model)
  const measured = await measure(submission, model)
  const share = (100 * measured.hits) / task.ids.length
  const rows = [
    atLeast(fooledBar, {
      id: 'fooled',
      name: 'Digits misread',
      detail: `${measured.hits} of ${task.ids.length} digits`,
      measured: share,
      unit: '%',
    }),
    linfRow(measured, epsilon),
    rangeRow(measured),
  ]
  return conclude({
    headline: `${measured.hits} of ${task.ids.length} digits misread`,
    rows,
    gallery: measured.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'fooled',
          'One step was enough.',
          `${measured.hits} of ${task.ids.length} digits are misread, and no pixel moved by more than ${figure(measured.perturbation.largest)}. The reader was right about all of them a step ago: accuracy on clean digits says nothing about this.`,
          'choose the wrong answer yourself: the targeted step.',
        )
      : await failedFinding(submission, measured, model),
  })
}

async function gradeTargeted(submission: Submission<Variant>) {
  const { task, trusted, variant } = submission
  const { target } = variant
  const model = await trusted.model(task.victim.model)
  const measured = await measure(submission, model, target)
  const rows = [
    atLeast(targetedBar, {
      id: 'hits',
      name: `Digits read as ${target}`,
      detail: `${measured.hits} of ${task.ids.length} digits`,
      measured: measured.hits,
      precision: 0,
      scaleMax: task.ids.length,
    }),
    linfRow(measured, epsilon),
    rangeRow(measured),
  ]
  return conclude({
    headline: `${measured.hits} of ${task.ids.length} digits read as ${target}`,
    rows,
    gallery: measured.gallery,
    score: { value: (100 * measured.hits) / task.ids.length, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'on-target',
          'The wrong answer was yours to choose.',
          `${measured.hits} of ${task.ids.length} digits are read as ${target}. A targeted step has to cross one border, not any border, so it hits less often than the untargeted one.`,
          'say why the sign was the right thing to take.',
        )
      : await failedFinding(submission, measured, model, target),
  })
}

async function gradeRepaired({ task, artefact, trusted }: Submission<Variant>) {
  if (artefact.kind !== 'model-weights') throw new TypeError(`repaired: got ${artefact.kind}`)
  const { test } = await trusted.dataset(task.dataset)
  const shipped = await trusted.model(task.victim.model)
  const repaired = await trusted.modelWithWeights(task.victim.model, artefact.tensors)
  try {
    const all = Array.from({ length: test.count }, (_, i) => i)
    const shape = [test.count, ...shipped.inputShape]
    const pixels = test.pixels(all)
    const right = countRight(topOfRows(await logitsOf(repaired, pixels, shape), test.count), test.labels)
    const clean = (100 * right) / test.count
    const held = await rightUnderFgsm(repaired, task, trusted)
    const heldBefore = await trusted.once('held before', () => rightUnderFgsm(shipped, task, trusted))
    const attacked = (100 * held) / task.ids.length
    const before = (100 * heldBefore) / task.ids.length
    const rows = [
      atLeast(cleanBar, {
        id: 'clean',
        name: 'Read rightly, nobody attacking',
        detail: `${right} of ${test.count} test digits`,
        measured: clean,
        unit: '%',
        precision: 1,
      }),
      atLeast(repairedBar, {
        id: 'attacked',
        name: `Read rightly under one step of ${epsilon}`,
        detail: `${held} of ${task.ids.length} digits; ${heldBefore} before the repair`,
        measured: attacked,
        unit: '%',
      }),
    ]
    const [cleanRow, attackedRow] = rows
    return conclude({
      headline: `${held} of ${task.ids.length} digits withstand the step`,
      rows,
      score: { value: attacked, unit: '%' },
      finding: isMet(rows)
        ? finding(
            'withstands-the-step',
            'It withstands the attack it was trained on.',
            `${figure(attacked)} % of the digits are read rightly under one step of ${epsilon}, against ${figure(before)} % before, and ${figure(clean)} % when nobody attacks. That is measured against yesterday's attack only.`,
            "attack it with today's: many small steps.",
          )
        : firstFinding([
            !cleanRow!.satisfied &&
              finding(
                'clean-lost',
                'The repair costs too much on honest digits.',
                `${figure(clean)} % of the clean digits are read rightly, and ${cleanBar} % are needed. The bank reads honest cheques all day.`,
                'train longer, lower the share of attacked digits, or lower ε.',
              ),
            attacked < before + 10 &&
              finding(
                'unrepaired',
                'The repair changed next to nothing.',
                `${figure(attacked)} % of the digits withstand one step of ${epsilon}; the unrepaired model holds ${figure(before)} %.`,
                `train on attacked digits: an ε near ${epsilon}, half of every batch attacked.`,
              ),
            !attackedRow!.satisfied &&
              finding(
                'half-repaired',
                'It withstands some of the steps.',
                `${figure(attacked)} % of the digits withstand one step of ${epsilon}, up from ${figure(before)} %; ${repairedBar} % are needed.`,
                `train an epoch longer, or with an ε nearer to ${epsilon}.`,
              ),
          ]),
    })
  } finally {
    repaired.dispose()
  }
}

async function gradeAgain(submission: Submission<Variant>) {
  const { task, trusted } = submission
  const model = await trusted.modelFrom('repaired')
  const measured = await measure(submission, model)
  const right = await trusted.once('right under one step', () => rightUnderFgsm(model, task, trusted))
  const oneStep = task.ids.length - right
  const share = (100 * measured.hits) / task.ids.length
  const rows = [
    atLeast(againBar, {
      id: 'fooled',
      name: 'Digits misread by your repaired model',
      detail: `${measured.hits} of ${task.ids.length} digits; one long step reaches ${oneStep}`,
      measured: share,
      unit: '%',
    }),
    linfRow(measured, epsilon),
    rangeRow(measured),
  ]
  return conclude({
    headline: `${measured.hits} of ${task.ids.length} digits misread again`,
    rows,
    gallery: measured.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'souvenir',
          "A defence tested only against yesterday's attack is a souvenir.",
          `One step of ${epsilon} fools your repaired model on ${oneStep} of ${task.ids.length} digits, many small steps within the same ${epsilon} on ${measured.hits}. The model learned to withstand the step, not the budget.`,
          'train on the stronger attack; that is the lab on adversarial training.',
        )
      : await againFinding(submission, measured, model, oneStep),
  })
}

// Measuring

async function measure(
  { task, artefact, trusted }: Submission<Variant>,
  model: Model,
  target?: number,
): Promise<MeasuredExamples> {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`evasion-fgsm: got ${artefact.kind}`)
  const dataset = await trusted.dataset(task.dataset)
  const goal = target === undefined ? {} : { target }
  return measureExamples({ task, examples: artefact, model, dataset, limit: epsilon, ...goal })
}

/** The referee's own step, on the originals: how many digits are still read rightly. */
async function rightUnderFgsm(model: Model, task: Task, trusted: Trusted): Promise<number> {
  const originals = (await trusted.dataset(task.dataset))[task.split].pixels(task.ids)
  const shape = [task.ids.length, ...model.inputShape]
  const gradient = await steepest(model, originals, shape, task.labels)
  const attacked = originals.map((pixel, i) =>
    Math.min(1, Math.max(0, pixel + epsilon * Math.sign(gradient[i]!))),
  )
  return countRight(topOfRows(await logitsOf(model, attacked, shape), task.ids.length), task.labels)
}

/**
 * Cross-entropy's gradient; the margin's where the model is so sure that cross-entropy's is 0. Otherwise
 * weights scaled a thousandfold would pass for a repair: that hides the slope and moves no border.
 */
async function steepest(
  model: Model,
  pixels: Float32Array,
  shape: number[],
  labels: number[],
): Promise<Float32Array> {
  const gradient = await gradientOf(model, pixels, shape, labels)
  const size = gradient.length / labels.length
  const flat = labels.map((_, row) =>
    gradient.subarray(row * size, (row + 1) * size).every((slope) => slope === 0),
  )
  if (!flat.includes(true)) return gradient
  const margin = await gradientOf(model, pixels, shape, labels, { kind: 'margin' })
  flat.forEach((isFlat, row) => {
    if (isFlat) gradient.set(margin.subarray(row * size, (row + 1) * size), row * size)
  })
  return gradient
}

const countRight = (read: Int32Array, labels: ArrayLike<number>) =>
  read.reduce((sum, digit, i) => sum + (digit === labels[i] ? 1 : 0), 0)
const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)

// Findings

/** What one step that failed was made of; `target` for the targeted one. */
async function failedFinding(
  { ledger }: Submission<Variant>,
  measured: MeasuredExamples,
  model: Model,
  target?: number,
): Promise<Finding> {
  const run = await examineRun(measured, model, { target, ledger })
  return firstOf(faults, run) ?? belowBar(run)
}

function belowBar({ measured: { hits, task, perturbation }, direction, target }: Run): Finding {
  const share = target === undefined ? direction.agreement : 1 - direction.agreement
  const figures = `the farthest by ${figure(perturbation.largest)} of ${epsilon}`
  return target === undefined
    ? finding(
        'below-bar',
        'Not enough of them are misread.',
        `${hits} of ${task.ids.length} digits are misread and ${fooledBar} are needed. ${percent(share)} of the moved pixels climb the loss, ${figures}.`,
        "move every pixel by the whole ε, along the sign of the gradient of the true label's loss.",
      )
    : finding(
        'below-bar',
        `Not enough of them are read as ${target}.`,
        `${hits} of ${task.ids.length} digits, and ${targetedBar} are needed. ${percent(share)} of the moved pixels go towards ${target}, ${figures}.`,
        `move every pixel by the whole ε against the sign of the gradient of the loss for ${target}.`,
      )
}

async function againFinding(
  { ledger, trusted }: Submission<Variant>,
  measured: MeasuredExamples,
  model: Model,
  oneStep: number,
): Promise<Finding> {
  const run = await examineRun(measured, model, { ledger })
  const bounds = firstOf(boundsRules, run)
  if (bounds) return bounds
  const { originals, pixels, shape, perturbation, task, hits } = measured
  const { direction } = run
  const shipped = await trusted.model(task.victim.model)
  const old = compareDirection(
    originals,
    pixels,
    await gradientOf(shipped, originals, shape, task.labels),
    perturbation,
    measured.bounds,
  )
  return (
    firstFinding([
      surerRows(measured) < 0.8 * task.ids.length &&
        perturbation.moved > 0 &&
        direction.agreement >= 0.9 &&
        direction.evenness >= 0.8 &&
        perturbation.largest >= epsilon / 2 &&
        finding(
          'one-step',
          'One long step: the attack it was trained on.',
          `${percent(direction.agreement)} of the moved pixels follow the gradient at the original digit, all of them by about ε. That fools your repaired model on ${hits} of ${task.ids.length} digits; the repair has seen thousands of these.`,
          'take small steps, say ε / 8, and ask for the gradient anew before each.',
        ),
      old.agreement >= 0.9 &&
        direction.agreement < 0.8 &&
        finding(
          'old-model',
          'These digits attack the model of yesterday.',
          `${percent(old.agreement)} of the moved pixels climb the loss of the unrepaired model, ${percent(direction.agreement)} that of yours.`,
          'run the program of this checkpoint: its victim is your repaired model.',
        ),
      firstOf(faults, run),
    ]) ??
    finding(
      'below-bar',
      'More of them withstand than should.',
      `${hits} of ${task.ids.length} digits are misread and ${againBar} are needed; one long step reaches ${oneStep}.`,
      'take more steps: 20 of ε / 8, the gradient asked anew before each, the change pulled back into [−ε, ε] after each.',
    )
  )
}
