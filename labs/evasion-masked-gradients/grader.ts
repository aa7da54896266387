import {
  adaptive,
  atLeast,
  atMost,
  averaged,
  boundsRules,
  conclude,
  correctlyRead,
  counted,
  defended,
  defineLab,
  examineRun,
  faults,
  finding,
  firstFinding,
  firstOf,
  linfRow,
  measureExamples,
  percent,
  quizCheckpoint,
  rangeRow,
  rejected,
  rightUnderAttack,
  type EvidenceRow,
  type Finding,
  type MeasuredExamples,
  type Model,
  type StageSpec,
  type Submission,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

/** Budget of the vendor's claim, in L∞ on pixels in [0, 1]. */
const epsilon = 0.25
/** Budget of the re-attack: pixels that may change, and by any amount. */
const mostPixels = 16

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const leftBar = 10
const cleanBar = 95
const heldBar = 55
const fewBar = 78

const images = 50
/** The product answers by chance: a figure is the mean of so many looks. */
const looks = 9

const network = 'digits-cnn'
const dataset = 'mnist10k'
const split = 'test'

/** The vendor's product, as its paper names it. */
const product: StageSpec[] = [
  { id: 'bit-depth', levels: 4 },
  { id: 'resize-pad', smallest: 24, largest: 28 },
  { id: 'scaled-logits', factor: 100 },
]
/** What the question "held" offers, in the order of its options. */
const offers: { name: string; stages: StageSpec[] }[] = [
  { name: 'rounding to 4 levels', stages: [{ id: 'bit-depth', levels: 4 }] },
  { name: 'random resize and pad', stages: [{ id: 'resize-pad', smallest: 24, largest: 28 }] },
  { name: 'logits times 100', stages: [{ id: 'scaled-logits', factor: 100 }] },
  { name: 'median smoothing', stages: [{ id: 'median-smoothing', window: 3 }] },
  { name: 'rounding to 2 levels', stages: [{ id: 'bit-depth', levels: 2 }] },
]
const twoLevels: StageSpec[] = [{ id: 'bit-depth', levels: 2 }]

interface Variant {
  samples: { broken: number; held: number; few: number }
  /** Where the referee's own looks at a random model come from. */
  draws: number
}

export default defineLab<Variant>({
  variant: (rng) => ({
    samples: { broken: rng.uint32(), held: rng.uint32(), few: rng.uint32() },
    draws: rng.uint32(),
  }),
  checkpoints: {
    broken: {
      accepts: 'adversarial-examples',
      async task(variant, trusted) {
        const model = await victimOf(product, variant, trusted)
        return {
          ...(await sampled(model, variant.samples.broken, trusted)),
          victim: { model: network, defence: product, innerSkips: 1 },
          values: { epsilon },
        }
      },
      grade: gradeBroken,
    },
    flags: quizCheckpoint('flags', guide.quizzes),
    held: {
      accepts: 'answer',
      task: () => ({
        victim: { model: '' },
        dataset: '',
        split,
        ids: [],
        labels: [],
        values: { questions: 1 },
      }),
      grade: gradeHeld,
    },
    'broken-again': {
      accepts: 'adversarial-examples',
      async task(variant, trusted) {
        const model = await victimOf(twoLevels, variant, trusted)
        return {
          ...(await sampled(model, variant.samples.few, trusted)),
          victim: { model: network, defence: twoLevels, innerSkips: 1 },
          values: { epsilon: 1, pixels: mostPixels },
        }
      },
      grade: gradeFew,
    },
  },
})

/** The defended model, read as the referee reads it: the mean of several looks where it answers by chance. */
async function victimOf(stages: StageSpec[], { draws }: Variant, trusted: Trusted): Promise<Model> {
  return averaged(defended(await trusted.model(network), stages, draws), stages === product ? looks : 1)
}

async function sampled(model: Model, seed: number, trusted: Trusted) {
  const sample = await correctlyRead({
    model,
    dataset: await trusted.dataset(dataset),
    split,
    seed,
    count: images,
  })
  return { ...sample, dataset, split } as const
}

async function measured({ task, artefact, trusted }: Submission<Variant>, model: Model, limit: number) {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`masked: got ${artefact.kind}`)
  const data = await trusted.dataset(task.dataset)
  return measureExamples({ task, examples: artefact, model, dataset: data, limit })
}

const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)

// The vendor's product

async function gradeBroken(submission: Submission<Variant>) {
  const { task, trusted, variant, ledger } = submission
  const model = await victimOf(product, variant, trusted)
  const found = await measured(submission, model, epsilon)
  const left = images - found.hits
  const share = (100 * left) / images
  const rows = [
    atMost(leftBar, {
      id: 'left',
      name: 'Digits still read rightly',
      detail: `${left} of ${images} digits, ${looks} looks at each`,
      measured: share,
      unit: '%',
    }),
    linfRow(found, epsilon),
    rangeRow(found),
  ]
  const bare = await trusted.model(network)
  return conclude({
    headline: `${left} of ${task.ids.length} digits are left standing`,
    rows,
    gallery: found.gallery,
    score: { value: 100 - share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'illusion',
          'It only looked safe.',
          `${left} of ${images} digits are left where the vendor's own evaluation leaves nearly all of them. Nothing about the borders has changed: the network behind the rounding was as weak as ever, and only the way to it was hidden.`,
          'name the signs in the figures that should have made the vendor doubt.',
        )
      : await brokenFinding(found, bare, ledger),
  })
}

async function brokenFinding(
  found: MeasuredExamples,
  bare: Model,
  ledger: Submission<Variant>['ledger'],
): Promise<Finding> {
  const { perturbation, hits, task } = found
  const still = perturbation.linf.filter((change) => change === 0).length
  // The directions are judged on the network inside: the product itself has none.
  const run = { ...(await examineRun(found, bare)), ...(ledger?.trace ? { trace: ledger.trace } : {}) }
  const agreement = run.direction.agreement
  return (
    firstOf(boundsRules, run) ??
    firstFinding([
      still === images &&
        finding(
          'zero-gradient',
          'You followed the gradient of a staircase.',
          `Not one pixel of ${images} digits moved: the slope you were given is exactly 0 everywhere. Rounding is flat between its steps, and no loss, however chosen, has a slope through it.`,
          'on the way forward round x yourself; on the way back ask `inner`, the part behind the rounding, and hand its gradient on as if rounding were the identity.',
        ),
      still >= 0.3 * images &&
        finding(
          'saturated',
          'Half of the disguise is off.',
          `${still} of ${images} digits did not move at all, and ${hits} ${hits === 1 ? 'is' : 'are'} misread. You pass the rounding, but the scores are a hundred times too large: softmax is 1 to the last digit, and the gradient of cross-entropy is smaller than a float can hold.`,
          "climb a loss that does not care how large the scores are: { kind: 'margin' } or { kind: 'dlr' }.",
        ),
      perturbation.moved > 0 &&
        agreement < 0.4 &&
        hits < 0.3 * task.ids.length &&
        finding(
          'descended',
          'You went downhill.',
          `Only ${percent(agreement)} of the moved pixels climb the loss of the network inside; ${counted(hits, 'digit')} misread.`,
          'hand on the gradient as it comes, without a minus.',
        ),
    ]) ??
    firstOf(faults, run) ??
    finding(
      'below-bar',
      'Some are still standing.',
      `${images - hits} of ${images} digits are read rightly, and at most ${(leftBar * images) / 100} may be. ${percent(agreement)} of the moved pixels climb the loss of the network inside.`,
      'go round both tricks at once: ask `inner` about the rounded picture, and give it the margin or DLR as its loss.',
    )
  )
}

// The defence that is chosen by evidence

async function gradeHeld({ artefact, variant, trusted }: Submission<Variant>) {
  if (artefact.kind !== 'answer') throw new TypeError(`held: got ${artefact.kind}`)
  const chosen = Object.hasOwn(artefact.choices, 'held') ? artefact.choices.held! : []
  const at = chosen.map((id) => (id.length === 1 ? id.charCodeAt(0) - 97 : -1))
  if (at.some((i) => !offers[i]))
    return rejected(
      `"${chosen.find((_, i) => !offers[at[i]!])}" is no option of the question "held".`,
      'Next: choose an option on the page and hand it in again.',
    )
  if (at.length !== 1) {
    const row = atLeast(1, {
      id: 'chosen',
      name: 'One defence chosen',
      measured: 0,
      precision: 0,
      hard: true,
    })
    return conclude({
      headline: 'No defence is chosen',
      rows: [row],
      finding: finding(
        'unanswered',
        'Choose one.',
        `${counted(at.length, 'defence')} chosen; the referee attacks one.`,
        'try each on the bench, then choose the one that holds.',
      ),
    })
  }
  const { name, stages } = offers[at[0]!]!
  const model = await trusted.model(network)
  const data = await trusted.dataset(dataset)
  const shell = defended(model, stages, variant.draws)
  const all = Array.from({ length: data.test.count }, (_, i) => i)
  const x = data.test.images(all)
  let right = 0
  try {
    const read = await shell.predict(x)
    right = read.filter((digit, i) => digit === data.test.labels[i]).length
  } finally {
    x.dispose()
  }
  const sample = await correctlyRead({
    model: shell,
    dataset: data,
    split,
    seed: variant.samples.held,
    count: images,
  })
  const attacked = async (victim: Model) =>
    (
      await rightUnderAttack(victim, { ...sample, split }, data, {
        attack: 'pgd',
        options: { epsilon, steps: 10, stepSize: 0.05 },
        seed: variant.draws,
      })
    ).right
  const honest = await attacked(shell)
  const knowing = await attacked({ ...shell, ...adaptive(model, stages, variant.draws) })
  const clean = (100 * right) / data.test.count
  const held = (100 * knowing) / images
  const rows = [
    atLeast(cleanBar, {
      id: 'clean',
      name: 'Read rightly, nobody attacking',
      detail: `${right} of ${data.test.count} test digits`,
      measured: clean,
      unit: '%',
      precision: 1,
    }),
    atLeast(heldBar, {
      id: 'held',
      name: 'Read rightly under an attacker who knows it',
      detail: `${knowing} of ${images} digits; under the product's own gradient ${honest}`,
      measured: held,
      unit: '%',
    }),
  ]
  return conclude({
    headline: `${name}: ${knowing} of ${images} digits hold`,
    rows,
    score: { value: held, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'really-holds',
          'This one is no illusion, within its threat model.',
          `With ${name}, ${knowing} of ${images} digits are read rightly under an attack that goes round the staircase. A digit is nearly black and white: to cross from one level to the other a pixel has to move by up to a half, and ε allows ${epsilon}.`,
          'leave the threat model: how many pixels does it take when a pixel may change altogether?',
        )
      : firstFinding([
          honest - knowing >= 0.3 * images &&
            finding(
              'another-illusion',
              'Another mask.',
              `${name}: its own gradient leaves ${honest} of ${images} digits, an attacker who knows it ${knowing}. The difference is the mask, not a defence.`,
              'look on the bench for the one whose two figures are both high.',
            ),
          finding(
            'no-defence',
            'It does not even look safe.',
            `${name}: ${knowing} of ${images} digits hold, and ${honest} under its own gradient.`,
            'look on the bench for the one that holds against the attacker who knows it.',
          ),
        ]),
  })
}

// Another threat model

async function gradeFew(submission: Submission<Variant>) {
  const { task, trusted, variant } = submission
  const model = await victimOf(twoLevels, variant, trusted)
  const found = await measured(submission, model, 1)
  const changes = changedPixels(found)
  const most = Math.max(...changes)
  const share = (100 * found.hits) / images
  const rows = [
    atLeast(fewBar, {
      id: 'fooled',
      name: 'Digits misread',
      detail: `${found.hits} of ${images} digits`,
      measured: share,
      unit: '%',
    }),
    atMost(mostPixels, {
      id: 'l0',
      name: 'Most pixels changed in one digit, L0',
      detail: `of ${found.pixels.length / images}`,
      measured: most,
      precision: 0,
      scaleMax: Math.max(2 * mostPixels, most),
      hard: true,
    }),
    rangeRow(found),
  ]
  return conclude({
    headline: `${found.hits} of ${task.ids.length} digits misread by ${most} pixels`,
    rows,
    gallery: found.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'outside-the-model',
          'A defence is a statement about one threat model.',
          `${found.hits} of ${images} digits fall to ${most} pixels, and the same rounding holds most digits against ε = ${epsilon} on all ${found.pixels.length / images}. Neither figure is wrong; each answers one question.`,
          'write the threat model beside the figure, every time.',
        )
      : fewFinding(found, changes, seenChanges(found)),
  })
}

/** How many pixels of each digit are not what they were. */
function changedPixels({ originals, pixels }: MeasuredExamples): number[] {
  const size = pixels.length / images
  return Array.from(
    { length: images },
    (_, row) =>
      originals
        .subarray(row * size, (row + 1) * size)
        .filter((value, i) => Math.abs(pixels[row * size + i]! - value) > 1e-6).length,
  )
}

/** How many pixels are another level behind the rounding. */
function seenChanges({ originals, pixels }: MeasuredExamples): number {
  const level = (value: number) => Math.floor(value + 0.5)
  return originals.filter((value, i) => level(value) !== level(pixels[i]!)).length
}

function fewFinding(found: MeasuredExamples, changes: number[], seen: number): Finding {
  const { hits, perturbation } = found
  const { range } = perturbation
  const most = Math.max(...changes)
  const moved = changes.reduce((sum, count) => sum + count, 0)
  return (
    firstFinding([
      moved === 0 &&
        finding(
          'unchanged',
          'The digits came back as they were.',
          `Not one pixel of ${images} digits is another. The product's own gradient is 0, so nothing was worth changing.`,
          'ask `inner` about the rounded picture, as before.',
        ),
      most > mostPixels &&
        finding(
          'too-many-pixels',
          'Too many pixels.',
          `One digit differs in ${most} pixels, and ${mostPixels} may change. This budget counts pixels, not how far they go.`,
          'rank the pixels by what changing them is worth, and change the best few; leave all others exactly as they were.',
        ),
      perturbation.overshoot > 1e-6 &&
        finding(
          'not-clipped',
          'Pixels left the page.',
          `Pixels run from ${range[0].toFixed(2)} to ${range[1].toFixed(2)}.`,
          'a changed pixel becomes ink (1) or paper (0), nothing beyond.',
        ),
      seen < moved / 2 &&
        finding(
          'rounded-away',
          'The rounding takes most of it back.',
          `You changed ${moved} pixels, and behind the rounding ${seen} of them are another level. A change that does not cross a half is gone.`,
          'go all the way: paper to ink, ink to paper.',
        ),
      hits < 0.12 * images &&
        finding(
          'no-direction',
          'These pixels were not the ones.',
          `${counted(hits, 'digit')} misread with ${most} pixels changed. Pixels picked by chance do as well.`,
          'a pixel can only move away from where it is: on paper the slope must be positive, on ink negative.',
        ),
      hits >= 0.5 * images &&
        finding(
          'one-look',
          'Right pixels, chosen all at once.',
          `${hits} of ${images} digits are misread, and ${(fewBar * images) / 100} are needed. All ${most} pixels were ranked by one gradient; after the first few change, the others are worth something else.`,
          'change a few, ask for the gradient again, and go on.',
        ),
    ]) ??
    finding(
      'below-bar',
      'Some of the pixels are wasted.',
      `${hits} of ${images} digits are misread with ${most} pixels changed, and ${(fewBar * images) / 100} are needed. A steep pixel that is already as dark as the slope wants it cannot move.`,
      'rank by slope × (1 − 2 · level): positive where changing the pixel climbs.',
    )
  )
}
