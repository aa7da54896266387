import {
  atLeast,
  conclude,
  correctlyRead,
  counted,
  defineLab,
  diagnoseDirection,
  figure,
  finding,
  firstFinding,
  gradientOf,
  linfRow,
  logitsOf,
  measureExamples,
  percent,
  quizCheckpoint,
  rangeRow,
  topOfRows,
  compareDirection,
  createRng,
  type Diagnosis,
  type EvidenceRow,
  type Finding,
  type MeasuredExamples,
  type Model,
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

async function gradeFooled({ task, artefact, trusted }: Submission<Variant>) {
  const model = await trusted.model(task.victim.model)
  const measured = await measure(task, artefact, trusted, model, (read, row) => read !== task.labels[row])
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
      : failedFinding(measured, await diagnoseDirection(measured, model)),
  })
}

async function gradeTargeted({ task, artefact, trusted, variant: { target } }: Submission<Variant>) {
  const model = await trusted.model(task.victim.model)
  const measured = await measure(task, artefact, trusted, model, (read) => read === target)
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
      : failedFinding(measured, await diagnoseDirection(measured, model, target), target),
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
    const heldBefore = await rightUnderFgsm(shipped, task, trusted)
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

async function gradeAgain({ task, artefact, trusted }: Submission<Variant>) {
  const model = await trusted.modelFrom('repaired')
  const measured = await measure(task, artefact, trusted, model, (read, row) => read !== task.labels[row])
  const oneStep = task.ids.length - (await rightUnderFgsm(model, task, trusted))
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
      : (boundsFinding(measured) ?? (await againFinding(measured, model, trusted, oneStep))),
  })
}

// Measuring

async function measure(
  task: Task,
  artefact: Submission<Variant>['artefact'],
  trusted: Trusted,
  model: Model,
  succeeds: (read: number, row: number) => boolean,
): Promise<MeasuredExamples> {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`evasion-fgsm: got ${artefact.kind}`)
  const dataset = await trusted.dataset(task.dataset)
  return measureExamples({ task, examples: artefact, model, dataset, limit: epsilon, succeeds })
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

/** By how much the true class leads the best other one. */
const lead = (logits: number[], truth: number) =>
  logits[truth]! - Math.max(...logits.filter((_, k) => k !== truth))

// Findings

/** What the hard rows say comes first: a change that is too big fools anyone. */
function boundsFinding({
  perturbation: { largest, outside, overshoot, range, rowsOutside, count },
}: MeasuredExamples): Finding | undefined {
  return firstFinding([
    largest > 2 &&
      finding(
        'grey-levels',
        'These are grey levels, not pixels in [0, 1].',
        `Your pixels run from ${figure(range[0])} to ${figure(range[1])}. The model reads 0 as paper and 1 as ink, so ε = ${epsilon} is about ${Math.round(255 * epsilon)} of 255 grey levels.`,
        'stay in [0, 1]: no factor of 255 anywhere, and tf.clipByValue(…, 0, 1) at the end.',
      ),
    largest > epsilon + 1e-6 &&
      finding(
        'epsilon-exceeded',
        'Pixels left the ball.',
        `The farthest pixel moved by ${figure(largest)}, and ε is ${epsilon}. A big enough change fools anyone, so this run cannot count.`,
        'one step moves each pixel by exactly ε; after several steps, pull the whole change back into [−ε, ε].',
      ),
    overshoot > 1e-6 &&
      finding(
        'not-clipped',
        'Pixels left the page.',
        `${counted(outside, 'pixel')} in ${rowsOutside} of ${count} images lie outside [0, 1], the farthest by ${figure(overshoot)}. No scanner reports ink darker than ink, so a cheque like this cannot be printed.`,
        'end with tf.clipByValue(…, 0, 1).',
      ),
  ])
}

/**
 * The gradient itself as a step. It comes before what the hard rows say: the steepest pixel may well leave
 * the ball while all others hardly move, and the missing sign is the cause of both.
 */
function unsignedFinding(
  { agreement, evenness }: Diagnosis,
  { perturbation: { largest } }: MeasuredExamples,
): Finding | undefined {
  if (agreement < 0.9 || evenness >= 0.5 || largest > 2) return undefined
  const budget =
    largest > epsilon + 1e-6
      ? 'The farthest has left the ball, and the others hardly use it.'
      : 'The budget counts the farthest pixel alone, so nearly all of it lies unused.'
  return finding(
    'no-sign',
    'The direction is right, the step is the slope itself.',
    `${percent(agreement)} of the moved pixels go the way they should, but on average by only ${percent(evenness)} of the farthest one, which moved by ${figure(largest)}. ${budget}`,
    'take tf.sign of the gradient: then every pixel moves by the whole ε.',
  )
}

/** What one step that failed was made of; `target` for the targeted one. */
function failedFinding(measured: MeasuredExamples, direction: Diagnosis, target?: number): Finding {
  // Towards a target is *down* its loss, so agreement is counted from the other end.
  const right = target === undefined ? direction : { ...direction, agreement: 1 - direction.agreement }
  return (
    unsignedFinding(right, measured) ??
    boundsFinding(measured) ??
    (target === undefined
      ? directionFinding(direction, measured)
      : targetedFinding(direction, right, measured, target))
  )
}

function commonFinding(
  direction: Diagnosis,
  { perturbation, task }: MeasuredExamples,
  kept: string,
): Finding | undefined {
  const { largest, moved } = perturbation
  return firstFinding([
    moved === 0 &&
      finding(
        'unchanged',
        'The digits came back as they were.',
        `Not one of ${perturbation.count} images was changed. At ε = 0 nothing moves; and in code, tensors never change in place: tf.add(x, step) leaves x alone and returns the sum.`,
        'give the step a length above 0, and in code return the result of the last operation, not x.',
      ),
    direction.agreement >= 0.9 &&
      largest < epsilon / 2 &&
      finding(
        'tiny-step',
        'Your step is too small to reach the ball.',
        `The farthest pixel moved by ${figure(largest)}, and ε is ${epsilon}: ${percent(largest / epsilon)} of what is allowed.`,
        task.victim.weightsFrom
          ? 'make steps × step size at least ε, for example 20 steps of ε / 8.'
          : `make the step as long as ε, ${epsilon}: pixels run from 0 to 1, so nothing is divided by 255.`,
      ),
    !direction.explanation &&
      direction.agreement > 0.35 &&
      direction.agreement < 0.65 &&
      finding(
        'random-direction',
        'Your step has no direction.',
        `${percent(direction.agreement)} of the moved pixels go ${kept}; a coin would give 50 %. In 784 dimensions a random direction runs almost along the border, not across it.`,
        'follow the sign of the slope; in code, victim.lossAndGradient gives it.',
      ),
  ])
}

function directionFinding(direction: Diagnosis, measured: MeasuredExamples): Finding {
  const { explanation } = direction
  const { hits, task } = measured
  return (
    firstFinding([
      explanation?.kind === 'true' &&
        explanation.direction === 'descends' &&
        finding(
          'descended',
          'You went downhill.',
          `${percent(1 - direction.agreement)} of the moved pixels go against the gradient. That makes the loss smaller and the reader surer: ${counted(hits, 'digit')} misread.`,
          'training descends, an attack climbs. Add the step instead of subtracting it.',
        ),
      explanation?.kind === 'fixed' &&
        finding(
          'fixed-class',
          `You climbed the loss of one class for every image: ${explanation.value}.`,
          `${percent(explanation.agreement)} of the moved pixels go ${explanation.direction === 'climbs' ? 'up' : 'down'} the slope of class ${explanation.value}, and only ${percent(direction.agreement)} up that of the digit itself. For a 3, moving away from ${explanation.value} is no reason to stop being a 3.`,
          'pass y, the labels that data.sample() gave you, to victim.lossAndGradient.',
        ),
      explanation?.kind === 'shifted' &&
        finding(
          'shifted-labels',
          'Your labels are shifted.',
          `${percent(explanation.agreement)} of the moved pixels go ${explanation.direction === 'climbs' ? 'up' : 'down'} the slope of class y + ${explanation.value}, not of y. Moving away from a wrong answer does not move away from the right one.`,
          'pass y as it came, in the order of the images.',
        ),
      commonFinding(direction, measured, 'up the slope'),
    ]) ??
    finding(
      'below-bar',
      'Not enough of them are misread.',
      `${hits} of ${task.ids.length} digits are misread and ${fooledBar} are needed. ${percent(direction.agreement)} of the moved pixels climb the loss, the farthest by ${figure(measured.perturbation.largest)} of ${epsilon}.`,
      "move every pixel by the whole ε, along the sign of the gradient of the true label's loss.",
    )
  )
}

function targetedFinding(
  direction: Diagnosis,
  towards: Diagnosis,
  measured: MeasuredExamples,
  target: number,
): Finding {
  const { explanation } = direction
  const { hits, task } = measured
  return (
    firstFinding([
      explanation?.kind === 'target' &&
        explanation.direction === 'climbs' &&
        finding(
          'climbed-the-target',
          `You climbed away from ${target}.`,
          `${percent(direction.agreement)} of the moved pixels raise the loss of ${target}, the answer you want: ${hits} of ${task.ids.length} digits are read as ${target}.`,
          `you want the loss of ${target} small, so subtract the step.`,
        ),
      explanation?.kind === 'true' &&
        explanation.direction === 'climbs' &&
        finding(
          'untargeted-instead',
          'That is the untargeted step.',
          `${percent(explanation.agreement)} of the moved pixels climb away from the true digit; it then lands on whatever is nearest, which is ${target} for ${hits} of ${task.ids.length} digits.`,
          `take the gradient of the loss for ${target} and go down it.`,
        ),
      (explanation?.kind === 'fixed' || explanation?.kind === 'shifted') &&
        explanation.direction === 'descends' &&
        finding(
          'wrong-target',
          'You went towards another class.',
          `${percent(explanation.agreement)} of the moved pixels go towards ${explanation.kind === 'fixed' ? `class ${explanation.value}` : `the class ${explanation.value} above the true one`}; your variant asks for ${target}.`,
          'use task.target, the digit that your own variant asks for.',
        ),
      commonFinding(towards, measured, `towards ${target}`),
    ]) ??
    finding(
      'below-bar',
      `Not enough of them are read as ${target}.`,
      `${hits} of ${task.ids.length} digits, and ${targetedBar} are needed. ${percent(towards.agreement)} of the moved pixels go towards ${target}, the farthest by ${figure(measured.perturbation.largest)} of ${epsilon}.`,
      `move every pixel by the whole ε against the sign of the gradient of the loss for ${target}.`,
    )
  )
}

async function againFinding(
  measured: MeasuredExamples,
  model: Model,
  trusted: Trusted,
  oneStep: number,
): Promise<Finding> {
  const { originals, pixels, shape, perturbation, bounds, task, hits } = measured
  const direction = await diagnoseDirection(measured, model)
  const surer = measured.gallery.filter(
    ({ truth, logitsBefore, logitsAfter }) => lead(logitsAfter, truth) > lead(logitsBefore, truth),
  ).length
  const shipped = await trusted.model(task.victim.model)
  const old = compareDirection(
    originals,
    pixels,
    await gradientOf(shipped, originals, shape, task.labels),
    perturbation,
    bounds,
  )
  return (
    firstFinding([
      // After many steps the signs no longer follow the first gradient, but the scores still tell.
      perturbation.moved > 0 &&
        surer >= 0.8 * task.ids.length &&
        finding(
          'descended',
          'You went downhill.',
          `On ${surer} of ${task.ids.length} digits the reader is surer of the right answer than before; ${counted(hits, 'digit')} misread.`,
          'an attack climbs the loss: add the steps.',
        ),
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
      perturbation.moved > 0 &&
        perturbation.largest < epsilon / 2 &&
        finding(
          'tiny-step',
          'Your steps are too small to reach the ball.',
          `The farthest pixel moved by ${figure(perturbation.largest)}, and ε is ${epsilon}: ${percent(perturbation.largest / epsilon)} of what is allowed.`,
          'make steps × step size at least twice ε, for example 20 steps of ε / 8.',
        ),
      commonFinding(direction, measured, 'up the first slope'),
    ]) ??
    finding(
      'below-bar',
      'More of them withstand than should.',
      `${hits} of ${task.ids.length} digits are misread and ${againBar} are needed; one long step reaches ${oneStep}.`,
      'take more steps: 20 of ε / 8, the gradient asked anew before each, the change pulled back into [−ε, ε] after each.',
    )
  )
}
