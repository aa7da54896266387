import {
  atLeast,
  attackImages,
  conclude,
  correctlyRead,
  createRng,
  crossEntropies,
  defineLab,
  diagnose,
  figure,
  finding,
  firstFinding,
  linfRow,
  logitsOf,
  measureExamples,
  normRow,
  percent,
  quizCheckpoint,
  rangeRow,
  rightUnderAttack,
  topOfRows,
  withUsualScores,
  type EvidenceRow,
  type Finding,
  type Model,
  type RefereeAttack,
  type Submission,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

/** The promise: no pixel moves by more than this. */
const epsilon = 0.2
/** What the promise does not cover: a change of this length, however it is spread. */
const length = 3

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const lossBar = 55
const cleanBar = 94
const robustBar = 65
const beyondBar = 55

const worstImages = 60
const robustImages = 150
const beyondImages = 80

/** The referee's patient attacker, on the promise. */
const patient: RefereeAttack = {
  attack: 'pgd',
  options: { epsilon, steps: 40, stepSize: epsilon / 16 },
  seed: 0,
}
/** Enough to say how much stays inside, beside a verdict that does not hang on it. */
const brisk: RefereeAttack = {
  attack: 'pgd',
  options: { epsilon, steps: 10, stepSize: epsilon / 4 },
  seed: 0,
}
const oneStep: RefereeAttack = { attack: 'fgsm', options: { epsilon }, seed: 0 }

interface Variant {
  /** Seeds of the image samples. */
  samples: { worst: number; robust: number; beyond: number }
}

const base = { dataset: 'mnist10k', split: 'test' } as const
const bank = 'digits-cnn'

export default defineLab<Variant>({
  variant: (rng) => ({ samples: { worst: rng.uint32(), robust: rng.uint32(), beyond: rng.uint32() } }),
  checkpoints: {
    'worst-case': {
      accepts: 'adversarial-examples',
      async task({ samples }, trusted) {
        const sample = await sampleFor(trusted, await trusted.model(bank), samples.worst, worstImages)
        return { ...base, victim: { model: bank }, ...sample, values: { epsilon } }
      },
      grade: gradeWorstCase,
    },
    collapses: quizCheckpoint('collapses', guide.quizzes),
    vaccinated: {
      accepts: 'model-weights',
      async task({ samples }, trusted) {
        const { test } = await trusted.dataset(base.dataset)
        const ids = createRng(samples.robust, 'sample')
          .shuffle(Array.from({ length: test.count }, (_, i) => i))
          .slice(0, robustImages)
        const labels = ids.map((id) => test.labels[id]!)
        return { ...base, victim: { model: bank }, ids, labels, values: { epsilon } }
      },
      grade: gradeVaccinated,
    },
    beyond: {
      accepts: 'adversarial-examples',
      async task({ samples }, trusted) {
        const model = await trusted.modelFrom('vaccinated')
        const sample = await sampleFor(trusted, model, samples.beyond, beyondImages)
        return {
          ...base,
          victim: { model: bank, weightsFrom: 'vaccinated' },
          ...sample,
          values: { epsilon: length },
        }
      },
      grade: gradeBeyond,
    },
  },
})

async function sampleFor(trusted: Trusted, model: Model, seed: number, count: number) {
  return correctlyRead({
    model,
    dataset: await trusted.dataset(base.dataset),
    split: base.split,
    seed,
    count,
  })
}

async function gradeWorstCase({ task, artefact, trusted, ledger }: Submission<Variant>) {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`worst-case: got ${artefact.kind}`)
  const model = await trusted.model(task.victim.model)
  const dataset = await trusted.dataset(task.dataset)
  const measured = await measureExamples({ task, examples: artefact, model, dataset, limit: epsilon })
  const lossOf = async (images: Float32Array) =>
    mean(crossEntropies(await logitsOf(model, images, measured.shape), task.labels, model.numClasses))
  const reached = await lossOf(measured.pixels)
  const before = await lossOf(measured.originals)
  const most = await trusted.once('most loss', async () => {
    const originals = { pixels: measured.originals, labels: task.labels }
    return lossOf((await attackImages(model, originals, patient)).pixels)
  })
  const share = (100 * reached) / most
  const rows = [
    atLeast(lossBar, {
      id: 'loss',
      name: 'Loss reached, of what 40 steps reach',
      detail: `mean loss ${figure(reached)} of ${figure(most)}; ${measured.hits} of ${task.ids.length} digits misread`,
      measured: share,
      unit: '%',
    }),
    linfRow(measured, epsilon),
    rangeRow(measured),
  ]
  return conclude({
    headline: `${figure(share)} % of the loss that 40 steps reach`,
    rows,
    gallery: measured.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'worst-case',
          'Three gradients come most of the way to the worst.',
          `The mean loss is ${figure(reached)}; forty steps reach ${figure(most)}. That is the example to train on: nearly the worst, for a thirteenth of the price.`,
          'find out how such a training fails, before you start one.',
        )
      : (wentDown(reached, before) ??
        (await diagnose(measured, model, { ledger })) ??
        finding(
          'not-the-worst',
          'The right way, and too early at an end.',
          `Your examples reach a mean loss of ${figure(reached)}, ${figure(share)} % of the ${figure(most)} that forty steps reach; ${lossBar} % are needed. One long step, or steps from a single gradient, end about here.`,
          'after each step ask for the gradient again, at the place where you are now: three gradients, not one.',
        )),
  })
}

/** After a random start the signs of a descent point nowhere; its loss says it all. */
const wentDown = (reached: number, before: number) =>
  reached < before / 10
    ? finding(
        'descended',
        'You went downhill.',
        `The mean loss fell from ${figure(before)} to ${figure(reached)}: the reader is surer of these digits than of the clean ones. Training on them teaches nothing.`,
        'the trainer descends, the attack climbs. Add the step instead of subtracting it.',
      )
    : undefined

async function gradeVaccinated({ task, artefact, trusted }: Submission<Variant>) {
  if (artefact.kind !== 'model-weights') throw new TypeError(`vaccinated: got ${artefact.kind}`)
  const dataset = await trusted.dataset(task.dataset)
  const { test } = dataset
  const all = Array.from({ length: test.count }, (_, i) => i)
  const handedIn = await trusted.modelWithWeights(task.victim.model, artefact.tensors)
  let model: Model | undefined
  try {
    const shape = [test.count, ...handedIn.inputShape]
    const logits = await logitsOf(handedIn, test.pixels(all), shape)
    const read = topOfRows(logits, test.count)
    const right = read.filter((digit, i) => digit === test.labels[i]).length
    const { tensors } = withUsualScores(artefact.tensors, logits, handedIn.numClasses)
    model = await trusted.modelWithWeights(task.victim.model, tensors)
    const count = task.ids.length
    const many = (await rightUnderAttack(model, task, dataset, patient)).right
    const one = (await rightUnderAttack(model, task, dataset, oneStep)).right
    const clean = (100 * right) / test.count
    const robust = (100 * many) / count
    const rows = [
      atLeast(cleanBar, {
        id: 'clean',
        name: 'Read rightly, nobody attacking',
        detail: `${right} of ${test.count} test digits`,
        measured: clean,
        unit: '%',
        precision: 1,
      }),
      atLeast(robustBar, {
        id: 'robust',
        name: `Read rightly under 40 steps within ${epsilon}`,
        detail: `${many} of ${count} digits; ${one} under one long step`,
        measured: robust,
        unit: '%',
      }),
    ]
    return conclude({
      headline: `${many} of ${count} digits withstand forty steps`,
      rows,
      score: { value: robust, unit: '%' },
      finding: isMet(rows)
        ? finding(
            'vaccinated',
            'It withstands an attacker who is patient.',
            `${figure(robust)} % of the digits are read rightly under forty steps within ${epsilon}; of the bank's reader not one in a hundred is. ${figure(clean)} % are read rightly when nobody attacks.`,
            'read the promise again, word by word: it names one norm and one ε.',
          )
        : failedTraining({ read, clean, one: one / count, many: many / count, rows }),
    })
  } finally {
    handedIn.dispose()
    model?.dispose()
  }
}

/** What the weights themselves tell of how they were trained. */
function failedTraining(known: {
  read: Int32Array
  clean: number
  one: number
  many: number
  rows: EvidenceRow[]
}): Finding | undefined {
  const { read, clean, one, many, rows } = known
  const [cleanRow] = rows
  const answers = new Set(read)
  const commonest = Math.max(...[...answers].map((digit) => read.filter((other) => other === digit).length))
  return firstFinding([
    commonest > 0.9 * read.length &&
      finding(
        'stuck',
        'It answers the same whatever it sees.',
        `${percent(commonest / read.length)} of ${read.length} test digits get one and the same answer. Its loss stands at ln 10 = 2.30, the price of a guess, and nothing pulls it away from there.`,
        'begin with a small ε that grows, and with a smaller rate. In the console the loss must fall below 2.3 within the first batches.',
      ),
    one >= 0.35 &&
      many < 0.5 * one &&
      finding(
        'one-step-only',
        'It withstands one step, and nothing else.',
        `${percent(one)} are read rightly under one long step, ${percent(many)} under forty small ones. It was trained on one gradient a batch, and has learned to make exactly that gradient a bad guide.`,
        'train on the worst of several steps, each with a gradient of its own.',
      ),
    many < 0.1 &&
      finding(
        'unvaccinated',
        'The training changed next to nothing.',
        `${percent(many)} of the digits withstand forty steps, ${percent(one)} one; of the bank's own reader it is under 1 % and about 11 %. Whatever it was trained on, it was no attack that climbs.`,
        'print the loss of a batch before and after worstCase: it must grow. Then train on the result, not on x.',
      ),
    !cleanRow!.satisfied &&
      finding(
        'clean-lost',
        'The vaccine makes the patient ill.',
        `${figure(clean)} % of the clean digits are read rightly, and ${cleanBar} % are needed. The bank reads honest cheques all day.`,
        'let ε grow more slowly, lower the rate towards the end, or train longer.',
      ),
    finding(
      'half-vaccinated',
      'It withstands some of them.',
      `${percent(many)} of the digits are read rightly under forty steps within ${epsilon}; ${robustBar} % are needed, and clean digits are still at ${figure(clean)} %.`,
      `train at ε = ${epsilon}, not below, and give it more batches: the curve is still climbing.`,
    ),
  ])
}

async function gradeBeyond({ task, artefact, trusted, ledger }: Submission<Variant>) {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`beyond: got ${artefact.kind}`)
  const model = await trusted.modelFrom('vaccinated')
  const dataset = await trusted.dataset(task.dataset)
  const measured = await measureExamples({
    task,
    examples: artefact,
    model,
    dataset,
    limit: length,
    norm: 'l2',
  })
  const inside = await trusted.once('inside', () => rightUnderAttack(model, task, dataset, brisk))
  const count = task.ids.length
  const share = (100 * measured.hits) / count
  const rows = [
    atLeast(beyondBar, {
      id: 'fooled',
      name: 'Digits misread by your vaccinated reader',
      detail: `${measured.hits} of ${count} digits; within the promise ${count - inside.right}`,
      measured: share,
      unit: '%',
    }),
    normRow(measured),
    rangeRow(measured),
  ]
  return conclude({
    headline: `${measured.hits} of ${count} digits misread outside the promise`,
    rows,
    gallery: measured.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'outside-the-promise',
          'A vaccine protects from what it was made against.',
          `${measured.hits} of ${count} digits are misread after a change of length ${length}. Within the promise, L∞ ${epsilon}, ten steps reach ${count - inside.right}. On a few pixels you moved by up to ${figure(measured.perturbation.largest)}, which the promise never mentioned.`,
          'say a robust accuracy only together with its norm, its ε and its attack.',
        )
      : ((await diagnose(measured, model, { ledger })) ??
        finding(
          'inside-the-promise',
          'You attack where it was vaccinated.',
          `${measured.hits} of ${count} digits are misread. No pixel moved by more than ${figure(measured.perturbation.largest)}: a change that is spread over all pixels is what this reader was trained on.`,
          'spend the length where the slope is steep: step along the gradient itself, divided by its length, and not along its sign.',
        )),
  })
}

const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length
const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)
