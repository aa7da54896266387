import {
  atLeast,
  atMost,
  conclude,
  correctlyRead,
  createRng,
  crossEntropies,
  defineLab,
  drawPlacements,
  figure,
  finding,
  firstFinding,
  greyLevels,
  logitsOf,
  measurePerturbation,
  pasteSticker,
  quizCheckpoint,
  rangeRow,
  refereeSticker,
  topOfRows,
  type EvidenceRow,
  type Finding,
  type Model,
  type PlacementRange,
  type Spot,
  type Sticker,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

/** How the sign may be seen: what the sticker is trained for, and what it is judged on. */
const range: PlacementRange = { rotation: 20, scale: 0.15, shift: 3, light: 0.3 }
/** 9 × 9 of 32 × 32 is 7.9 % of the picture, 13 × 13 is 16.5 %. */
const side = 9
const largerSide = 13

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const stickerBar = 50
const cleanBar = 94
const repairedBar = 35
const againBar = 40

const trainingImages = 24
/** Each of the judge's photographs is seen so many times, each time otherwise. */
const views = 4
const judgedImages = 50

const stop = 0
/** Speed limits 30 and 80: of a stop sign's size and colours, and no untrained sticker is read as one. */
const targets = [3, 5]
/** Below the middle of the sign, where a sticker hides least of the word. */
const spots: Spot[] = [
  { right: 0, down: 3 },
  { right: 0, down: 5 },
  { right: -2, down: 4 },
  { right: 2, down: 4 },
]

interface Variant {
  target: number
  spot: Spot
  /** The number on the printer's order: a sticker is handed in under it. */
  order: number
  seeds: { photographs: number; judge: number; referee: number }
}

const base = { victim: { model: 'signs-cnn' }, dataset: 'signs12' } as const

export default defineLab<Variant>({
  variant: (rng) => ({
    target: targets[rng.below(targets.length)]!,
    spot: spots[rng.below(spots.length)]!,
    order: 1 + rng.below(2 ** 31 - 1),
    seeds: { photographs: rng.uint32(), judge: rng.uint32(), referee: rng.uint32() },
  }),
  checkpoints: {
    sticker: {
      accepts: 'adversarial-examples',
      async task(variant, trusted) {
        const model = await trusted.model(base.victim.model)
        return stickerTask(variant, trusted, model, { victim: { ...base.victim }, side })
      },
      grade: gradeSticker,
    },
    'why-target': quizCheckpoint('why-target', guide.quizzes),
    repaired: {
      accepts: 'model-weights',
      async task(variant, trusted) {
        const model = await trusted.model(base.victim.model)
        const sample = await stopSigns(trusted, model, 'test', variant.seeds.judge, judgedImages)
        return {
          ...base,
          victim: { ...base.victim },
          split: 'test',
          ...sample,
          values: { target: variant.target, side },
        }
      },
      grade: gradeRepaired,
    },
    again: {
      accepts: 'adversarial-examples',
      async task(variant, trusted) {
        const model = await trusted.modelFrom('repaired')
        const victim = { ...base.victim, weightsFrom: 'repaired' }
        return stickerTask(variant, trusted, model, { victim, side: largerSide })
      },
      grade: gradeAgain,
    },
  },
})

const stopSigns = async (
  trusted: Trusted,
  model: Model,
  split: 'train' | 'test',
  seed: number,
  most: number,
) => {
  const dataset = await trusted.dataset(base.dataset)
  const all = dataset[split].labels.reduce((count, label) => count + (label === stop ? 1 : 0), 0)
  for (let count = Math.min(most, all); ; count--) {
    try {
      return await correctlyRead({ model, dataset, split, seed, count, accept: (label) => label === stop })
    } catch (error) {
      // A repaired model may misread a stop sign or two.
      if (!(error instanceof RangeError) || count <= most / 2) throw error
    }
  }
}

async function stickerTask(
  { target, spot, order, seeds }: Variant,
  trusted: Trusted,
  model: Model,
  { victim, side }: { victim: Task['victim']; side: number },
): Promise<Task> {
  return {
    ...base,
    victim,
    split: 'train',
    ...(await stopSigns(trusted, model, 'train', seeds.photographs, trainingImages)),
    handIn: { ids: [order], shape: [side, side, 3] },
    values: { target, side, ...range, ...spot, order },
  }
}

// Measuring

/** What a model reads in the judge's photographs with a sticker on each, and how far it is from the target. */
interface Seen {
  /** Share of the views that are read as the target, as stop, and as each class. */
  hits: number
  stops: number
  shares: number[]
  views: number
  /** Mean cross-entropy of the target. */
  loss: number
}

async function look(
  { variant, trusted }: Pick<Submission<Variant>, 'variant' | 'trusted'>,
  model: Model,
  { pixels, shape }: Sticker,
  placed = range,
): Promise<Seen> {
  const dataset = await trusted.dataset(base.dataset)
  const shipped = await trusted.model(base.victim.model)
  const { ids } = await stopSigns(trusted, shipped, 'test', variant.seeds.judge, judgedImages)
  const wanted = Array.from({ length: views * ids.length }, (_, i) => ids[i % ids.length]!)
  const rng = createRng(variant.seeds.judge, 'placements')
  const placements = drawPlacements(wanted.length, placed, rng, variant.spot)
  const pictures = dataset.test.pixels(wanted)
  const pasted = pasteSticker(pixels, shape, pictures, dataset.shape, placements)
  const logits = await logitsOf(model, pasted, [wanted.length, ...dataset.shape])
  const read = topOfRows(logits, wanted.length)
  const losses = crossEntropies(
    logits,
    wanted.map(() => variant.target),
    model.numClasses,
  )
  const share = (label: number) => read.reduce((sum, one) => sum + (one === label ? 1 : 0), 0) / read.length
  const shares = Array.from({ length: model.numClasses }, (_, label) => share(label))
  return {
    hits: shares[variant.target]!,
    stops: shares[stop]!,
    shares,
    views: wanted.length,
    loss: losses.reduce((sum, one) => sum + one, 0) / losses.length,
  }
}

const nameOf = (model: Model, label: number) => model.architecture.classes[label]!
const per = (share: number) => `${Math.round(100 * share)} %`
const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)
const plain = (shade: number, { shape }: Sticker): Sticker => ({
  pixels: new Float32Array(shape[0] * shape[1] * shape[2]).fill(shade),
  shape,
})

function handedIn({ artefact }: Submission<Variant>): Sticker {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`evasion-patch: got ${artefact.kind}`)
  const [, height = 0, width = 0, channels = 0] = artefact.shape
  return { pixels: artefact.pixels, shape: [height, width, channels] }
}

const rowsFor = (sticker: Sticker, seen: Seen, model: Model, target: number, bar: number) => [
  atLeast(bar, {
    id: 'hits',
    name: `Read as ${nameOf(model, target)}`,
    detail: `${Math.round(seen.hits * seen.views)} of ${seen.views} views of signs that your program never saw`,
    measured: 100 * seen.hits,
    unit: '%',
  }),
  rangeRow({
    pixels: sticker.pixels,
    bounds: model.bounds,
    perturbation: measurePerturbation(sticker.pixels, sticker.pixels, 1, model.bounds),
  }),
]

async function gradeSticker(submission: Submission<Variant>) {
  const { task, trusted, variant } = submission
  const model = await trusted.model(task.victim.model)
  const sticker = handedIn(submission)
  const seen = await look(submission, model, sticker)
  const name = nameOf(model, variant.target)
  const rows = rowsFor(sticker, seen, model, variant.target, stickerBar)
  return conclude({
    headline: `${per(seen.hits)} of the views read as ${name}`,
    rows,
    score: { value: 100 * seen.hits, unit: '%' },
    finding: isMet(rows)
      ? await (async () => {
          const wide = { rotation: 40, scale: 0.3, shift: 5, light: 0.5 }
          const [white, wider] = [
            await look(submission, model, plain(1, sticker)),
            await look(submission, model, sticker, wide),
          ]
          return finding(
            'sticks',
            `A stop sign that reads ${name}.`,
            `${per(seen.hits)} of ${seen.views} views are read as ${name}, ${per(seen.stops)} still as stop. A white square of the same size is read as ${name} in ${per(white.hits)}, though it hides stop in ${per(1 - white.stops)}. Twice the turns, sizes, shifts and light leave your sticker at ${per(wider.hits)}.`,
            'say why hiding the stop sign would have been too easy a goal.',
          )
        })()
      : await failed(submission, model, sticker, seen, stickerBar),
  })
}

async function gradeAgain(submission: Submission<Variant>) {
  const { task, trusted, variant } = submission
  const model = await trusted.modelFrom('repaired')
  const shipped = await trusted.model(task.victim.model)
  const sticker = handedIn(submission)
  const seen = await look(submission, model, sticker)
  const name = nameOf(model, variant.target)
  const rows = rowsFor(sticker, seen, model, variant.target, againBar)
  return conclude({
    headline: `${per(seen.hits)} of the views read as ${name} by your repaired model`,
    rows,
    score: { value: 100 * seen.hits, unit: '%' },
    finding: isMet(rows)
      ? await (async () => {
          const old = await look(submission, model, await oldSticker(submission, shipped))
          return finding(
            'larger-than-promised',
            'The repair holds for the sticker that it knew.',
            `The referee's ${side} × ${side} sticker for the old model reaches ${per(old.hits)} on yours, your ${largerSide} × ${largerSide} one ${per(seen.hits)}. The repair never promised anything about that size: a defence is worth what its threat model says, and no more.`,
            'read the recap: what a defence with a proof promises, and what it costs.',
          )
        })()
      : await failed(submission, model, sticker, seen, againBar),
  })
}

/** The referee's own sticker against the shipped model, of the first size. */
const oldSticker = (
  { variant, trusted }: Pick<Submission<Variant>, 'variant' | 'trusted'>,
  shipped: Model,
): Promise<Sticker> =>
  trusted.once('sticker', async () => {
    const { train } = await trusted.dataset(base.dataset)
    const { ids } = await stopSigns(trusted, shipped, 'train', variant.seeds.photographs, trainingImages)
    const options = { side, ...range, ...variant.spot, steps: 50, batch: 16, stepSize: 0.2 }
    return refereeSticker(shipped, train.pixels(ids), variant.target, options, variant.seeds.referee)
  })

async function gradeRepaired(submission: Submission<Variant>) {
  const { task, artefact, trusted, variant } = submission
  if (artefact.kind !== 'model-weights') throw new TypeError(`repaired: got ${artefact.kind}`)
  const { test } = await trusted.dataset(task.dataset)
  const shipped = await trusted.model(task.victim.model)
  const repaired = await trusted.modelWithWeights(task.victim.model, artefact.tensors)
  try {
    const all = Array.from({ length: test.count }, (_, i) => i)
    const logits = await logitsOf(repaired, test.pixels(all), [test.count, ...shipped.inputShape])
    const read = topOfRows(logits, test.count)
    const right = read.reduce((sum, label, i) => sum + (label === test.labels[i] ? 1 : 0), 0)
    const clean = (100 * right) / test.count
    const sticker = await oldSticker(submission, shipped)
    const before = await trusted.once('sticker before', () => look(submission, shipped, sticker))
    const after = await look(submission, repaired, sticker)
    const name = nameOf(shipped, variant.target)
    const rows = [
      atLeast(cleanBar, {
        id: 'clean',
        name: 'Read rightly, nothing stuck on',
        detail: `${right} of ${test.count} test signs`,
        measured: clean,
        unit: '%',
        precision: 1,
      }),
      atMost(repairedBar, {
        id: 'hits',
        name: `Stop signs read as ${name} with the referee's sticker`,
        detail: `${Math.round(after.hits * after.views)} of ${after.views} views; ${Math.round(before.hits * before.views)} before the repair`,
        measured: 100 * after.hits,
        unit: '%',
      }),
    ]
    const [cleanRow, hitsRow] = rows
    return conclude({
      headline: `${per(after.hits)} of the views are still read as ${name}`,
      rows,
      score: { value: 100 * (1 - after.hits), unit: '% withstand' },
      finding: isMet(rows)
        ? finding(
            'reads-around',
            'It reads around a sticker now.',
            `The referee's sticker is read as ${name} in ${per(after.hits)} of the views, ${per(before.hits)} before; stop is read in ${per(after.stops)}, ${per(before.stops)} before. Bare signs: ${figure(clean)} % read rightly. This sticker was painted against the old model.`,
            'paint one against the new model, and ask what your repair was never shown.',
          )
        : firstFinding([
            !cleanRow!.satisfied &&
              finding(
                'clean-lost',
                'The repair costs too much on bare signs.',
                `${figure(clean)} % of the test signs are read rightly, and ${cleanBar} % are needed. Most signs have nothing stuck on them.`,
                'leave part of every batch as it is, keep the square small, or train longer.',
              ),
            !hitsRow!.satisfied &&
              finding(
                'unrepaired',
                'The sticker still works.',
                `${per(after.hits)} of the views are read as ${name}, ${per(before.hits)} before the training; at most ${repairedBar} % are allowed.`,
                'paint squares on a share of every batch, let a few steps of the attack choose their colours, and train an epoch longer.',
              ),
          ]),
    })
  } finally {
    repaired.dispose()
  }
}

// Findings

async function failed(
  submission: Submission<Variant>,
  model: Model,
  sticker: Sticker,
  seen: Seen,
  bar: number,
): Promise<Finding> {
  const { target } = submission.variant
  const { pixels } = sticker
  const [low, high] = [pixels.reduce((a, b) => Math.min(a, b)), pixels.reduce((a, b) => Math.max(a, b))]
  const name = nameOf(model, target)
  const most = seen.shares.reduce((best, share, label) => (share > seen.shares[best]! ? label : best), 0)
  const outside = firstFinding([
    greyLevels({
      measured: { perturbation: measurePerturbation(plain(0, sticker).pixels, pixels, 1, model.bounds) },
    }),
    (low < -1e-6 || high > 1 + 1e-6) &&
      finding(
        'not-clipped',
        'Nobody can print this sticker.',
        `Its pixels go from ${figure(low)} to ${figure(high)}; ink ends at 0 and 1. ${per(seen.hits)} of the views would be read as ${name}.`,
        'pull the sticker back after every step: tf.clipByValue(sticker, 0, 1).',
      ),
    high - low < 0.02 &&
      finding(
        'plain-sticker',
        'A plain sticker hides the sign and says nothing.',
        `All its pixels are about ${figure(low)}. ${per(1 - seen.stops)} of the views are no longer read as stop, but only ${per(seen.hits)} as ${name}.`,
        'start from a plain sticker and repaint it: the gradient of the loss for the target, pulled back to the sticker, says how.',
      ),
  ])
  if (outside) return outside

  // Looking costs two hundred readings, so only now.
  const grey = await look(submission, model, plain(0.5, sticker))
  const losses = `The mean loss for ${name} is ${figure(seen.loss)}, ${figure(grey.loss)} with a plain grey sticker`
  return firstFinding([
    seen.loss > 1.25 * grey.loss &&
      most === stop &&
      finding(
        'climbed-the-target',
        'It leads away from the target.',
        `${losses}. You want it small.`,
        'subtract the step instead of adding it: go down the loss for the target.',
      ),
    targets.includes(most) &&
      most !== target &&
      seen.shares[most]! >= 0.4 &&
      seen.hits < 0.25 &&
      seen.loss > 0.25 * grey.loss &&
      finding(
        'wrong-target',
        `It is read as ${nameOf(model, most)}, and ${name} was wanted.`,
        `${per(seen.shares[most]!)} of the views are read as ${nameOf(model, most)}, ${per(seen.hits)} as ${name}.`,
        'ask for the loss of task.target, for each picture.',
      ),
    seen.stops < 0.2 &&
      finding(
        'away-instead',
        `It is no stop sign any more, and seldom ${name}.`,
        `${per(1 - seen.stops)} of the views are not read as stop, most often as ${nameOf(model, most)} (${per(seen.shares[most]!)}); ${per(seen.hits)} as ${name}. Leading away from stop is the easy goal.`,
        'ask for the loss of the target as the label, and go down it.',
      ),
    seen.loss > 0.5 * grey.loss &&
      finding(
        'untrained',
        'The sticker has hardly been trained.',
        `${losses}: it was painted without looking at the model, or in too few or too short steps.`,
        'follow the gradient: paste, ask, pull back, step, and again with other placements, some fifty times.',
      ),
    finding(
      'below-bar',
      `Not enough of the views are read as ${name}.`,
      `${per(seen.hits)}, and ${bar} % are needed. ${losses}.`,
      'take more steps, on more pictures at once, with a step that shrinks towards the end.',
    ),
  ])!
}
