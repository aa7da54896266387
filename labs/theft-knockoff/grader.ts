import {
  answeredRow,
  atLeast,
  atMost,
  conclude,
  correctlyRead,
  counted,
  createRng,
  defineLab,
  diagnose,
  figure,
  finding,
  firstFinding,
  linfRow,
  meanSure,
  measureExamples,
  oftenest,
  othersDigits,
  percent,
  queriesRow,
  quizCheckpoint,
  rangeRow,
  readRows,
  rejected,
  sameReads,
  stealAndRead,
  weightDistance,
  withCopy,
  type AnswerSpec,
  type Artefact,
  type EvidenceRow,
  type Finding,
  type LedgerSummary,
  type Reads,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

const model = 'postcode-cnn'
/** A reader of digits that nobody stole: shipped with the app, trained on true labels. */
const honest = 'digits-cnn'
const cents = 0.5

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const knockoff = { queries: 3000, agreement: 65 }
const chosen = { queries: 400, rounds: 4, pool: 2000, steps: 60, last: 200, gain: 1.5 }
const transfer = { images: 100, epsilon: 0.25, fooled: 35 }
const counter = { told: 94, stolen: 48, decimals: 1, queries: 1500, steps: 200 }
const labels = { queries: 400, agreement: 89, sure: 0.9 }
/** Test digits on which victim and copy are compared. */
const probes = 2000

/** What the board makes of the learner's counter. */
const boards: readonly AnswerSpec[] = [
  { id: 'misinformation', sure: labels.sure },
  { id: 'top-one', tell: 'label' },
]

interface Variant {
  /** Which digits the victim was trained on, and how it began. */
  victim: number
  /** How the thief's own network begins. */
  copy: number
  /** Which pictures the thief holds. */
  pool: number
  /** The referee's probes and thieves. */
  referee: number
}
type Submitted = Submission<Variant>

const base = (variant: Variant) => ({ victim: { model, seed: variant.victim } })

export default defineLab<Variant>({
  variant: (rng) => ({ victim: rng.uint32(), copy: rng.uint32(), pool: rng.uint32(), referee: rng.uint32() }),
  checkpoints: {
    knockoff: {
      accepts: 'model-weights',
      async task(variant, trusted) {
        const { train } = await trusted.dataset('fashion4k')
        return {
          ...base(variant),
          ...some('fashion4k', 'train', garments(variant, train.count).asked, train.labels),
          unlabelled: true,
          values: { queries: knockoff.queries },
          copy: { model, seed: variant.copy },
          api: { cents },
        }
      },
      grade: gradeKnockoff,
    },
    chosen: {
      accepts: 'model-weights',
      async task(variant, trusted) {
        const { queries, rounds, steps, last } = chosen
        return {
          ...(await digits(variant, trusted)),
          values: { queries, rounds, steps, last },
          api: { cents },
        }
      },
      grade: gradeChosen,
    },
    honest: quizCheckpoint('honest', guide.quizzes),
    transfer: {
      accepts: 'adversarial-examples',
      async task(variant, trusted) {
        // Without a copy there is nothing to make pictures on.
        await trusted.modelFrom('chosen')
        const sample = await correctlyRead({
          model: await trusted.model(model, variant.victim),
          dataset: await trusted.dataset('mnist10k'),
          split: 'test',
          seed: variant.pool,
          count: transfer.images,
        })
        return {
          ...base(variant),
          dataset: 'mnist10k',
          split: 'test',
          ...sample,
          values: { epsilon: transfer.epsilon },
          copy: { model, seed: variant.copy, weightsFrom: 'chosen' },
        }
      },
      grade: gradeTransfer,
    },
    counter: {
      accepts: 'scores',
      async task(variant, trusted) {
        const { test } = await trusted.dataset('mnist10k')
        const order = shuffled(test.count, variant.pool)
        const strangers = await readRows(
          await trusted.model(model, variant.victim),
          (await trusted.dataset('fashion4k')).test,
          shuffled(400, variant.pool).slice(0, 200),
        )
        return {
          ...base(variant),
          ...some('mnist10k', 'test', order.slice(0, 500), test.labels),
          values: { strangers: Array.from(strangers.sure, (p) => p.toFixed(3)).join(' ') },
          columns: ['decimals', 'sure'],
          api: {},
        }
      },
      grade: gradeCounter,
    },
    labels: {
      accepts: 'model-weights',
      async task(variant, trusted) {
        return {
          ...(await digits(variant, trusted)),
          values: { queries: labels.queries, rounds: chosen.rounds, steps: chosen.steps, last: chosen.last },
          api: { cents, answers: boards },
        }
      },
      grade: gradeLabels,
    },
  },
})

const shuffled = (count: number, seed: number) =>
  createRng(seed, 'order').shuffle(Array.from({ length: count }, (_, id) => id))

const some = (dataset: string, split: 'train' | 'test', ids: number[], of: Uint8Array) => ({
  dataset,
  split,
  ids,
  labels: ids.map((id) => of[id]!),
})

/** Where victim and copies are compared. */
const probesOf = (count: number, { referee }: Variant) => shuffled(count, referee).slice(0, probes)

/** Garments that the thief holds, and the others. */
function garments({ pool }: Variant, count: number) {
  const order = shuffled(count, pool)
  return { asked: order.slice(0, knockoff.queries), others: order.slice(knockoff.queries) }
}

/** Digits that the victim has never seen, as a thief's own, without what they show. */
async function digits(variant: Variant, trusted: Trusted): Promise<Omit<Task, 'values'>> {
  const { train } = await trusted.dataset('mnist10k')
  const ids = Array.from(othersDigits(train.count, variant.victim)).slice(0, chosen.pool)
  return {
    ...base(variant),
    ...some('mnist10k', 'train', ids, train.labels),
    unlabelled: true,
    copy: { model, seed: variant.copy },
  }
}

const victimOf = ({ task, trusted }: Submitted) => trusted.model(task.victim.model, task.victim.seed)
const askedOf = (ledger: LedgerSummary | undefined) =>
  Object.values(ledger?.rows ?? {}).reduce((sum, rows) => sum + rows, 0)
const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)
const price = (rows: number) => `€${((rows * cents) / 100).toFixed(2)}`
const points = (share: number) => `${(100 * share).toFixed(1)} %`

interface Compared {
  victim: Reads
  copy: Reads
  /** Share of the probes, 0 to 1, on which the victim says the same as … */
  agreement: number
  honest: number
  /** The largest difference of a weight from the victim's own, and from the shipped reader's. */
  distance: { victim: number; honest: number }
}

/** Reads the same test digits with the victim, the copy, and a model that nobody stole. */
async function compare(submission: Submitted): Promise<Compared> {
  const { artefact, trusted, variant } = submission
  const { test } = await trusted.dataset('mnist10k')
  const ids = probesOf(test.count, variant)
  const original = await victimOf(submission)
  const known = await trusted.once('reads', async () => {
    const victim = await readRows(original, test, ids)
    const other = await readRows(await trusted.model(honest), test, ids)
    return { victim, honest: sameReads(victim, other) }
  })
  const copy = await withCopy(submission, (own) => readRows(own, test, ids))
  return {
    ...known,
    copy,
    agreement: sameReads(known.victim, copy),
    distance: {
      victim: weightDistance(artefact, await original.weights()),
      honest: weightDistance(artefact, await (await trusted.model(honest)).weights()),
    },
  }
}

/** What no thief may hand in. */
function notStolen({ distance, copy }: Compared, ledger: LedgerSummary | undefined): (Finding | false)[] {
  const nearest = Math.min(distance.victim, distance.honest)
  const constant = oftenest(copy)
  const { learned } = ledger ?? {}
  return [
    nearest < 1e-5 &&
      finding(
        'a-file',
        distance.victim < 1e-5
          ? 'These are the victim’s own weights.'
          : 'These are the weights of a model that lies in this app.',
        'Every weight is the same to the fifth decimal. A network that learned from answers has weights of its own, whatever it says.',
        'hand in the network that your program trained: submit(surrogate).',
      ),
    (learned?.unanswered ?? 0) > 0 &&
      finding(
        'never-asked',
        'The copy has learned from pictures that nobody answered.',
        `${learned!.unanswered} of the ${learned!.rows} rows that it was shown were never answered by the victim in this run.`,
        'give surrogate.learn the very pictures that you asked about. A picture that was changed is another picture.',
      ),
    constant > 0.9 &&
      finding(
        'constant',
        'This copy says the same to everything.',
        `${percent(constant)} of ${copy.top.length} test digits get one answer. A network learns that when pictures and answers do not belong together.`,
        'take the same positions from the pictures and from the answers.',
      ),
  ]
}

/** Hard row: a file is no theft. */
const fileRow = ({ distance }: Compared): EvidenceRow =>
  atMost(0, {
    id: 'own',
    name: 'Taken from a file',
    measured: Number(Math.min(distance.victim, distance.honest) < 1e-5),
    precision: 0,
    scaleMax: 1,
    hard: true,
  })

/** Too little learned, in the engine's own count. */
function barely(ledger: LedgerSummary | undefined, least: number): Finding | false {
  const rows = ledger?.learned?.rows ?? 0
  return (
    rows > 0 &&
    rows < least &&
    finding(
      'barely-trained',
      'The copy has hardly looked at its answers.',
      `It was shown ${rows} rows in all; a few hundred steps of 64 are usual. Learning costs the victim nothing, and you only time.`,
      'take more steps.',
    )
  )
}

// Garments

async function gradeKnockoff(submission: Submitted) {
  const { ledger, trusted, variant } = submission
  const all = await compare(submission)
  const { agreement } = all
  const asked = askedOf(ledger)
  const rows = [
    atLeast(knockoff.agreement, {
      id: 'agreement',
      name: 'Agreement on test digits',
      detail: `of ${probes} digits that neither has seen; a model that nobody stole agrees on ${points(all.honest)}`,
      measured: 100 * agreement,
      unit: '%',
      precision: 1,
    }),
    queriesRow(ledger, knockoff.queries, 'Rows asked about'),
    answeredRow(ledger),
    fileRow(all),
  ]
  const passed = isMet(rows)
  const [aFile, neverAsked] = notStolen(all, ledger)
  // How the copy reads garments that nobody asked about tells what it has learned from.
  const { train } = await trusted.dataset('fashion4k')
  const others = garments(variant, train.count).others
  const truth = await trusted.once('garments', async () =>
    readRows(await victimOf(submission), train, others),
  )
  const seen = passed ? undefined : await withCopy(submission, (copy) => readRows(copy, train, others))
  return conclude({
    headline: `${points(agreement)} agreement, after ${counted(asked, 'row')}`,
    rows,
    score: { value: 100 * agreement, unit: '%' },
    finding:
      passed || !seen
        ? finding(
            'knocked-off',
            'It reads digits, and has never seen one.',
            `The copy says what the victim says on ${points(agreement)} of ${probes} digits, from ${counted(asked, 'answer')} about garments: ${price(asked)}.`,
            'look at the log: would you have noticed that nobody sends shoes to a postcode reader?',
          )
        : firstFinding([
            aFile,
            neverAsked,
            asked > 0 &&
              asked < 1000 &&
              finding(
                'few-rows',
                'You asked too little.',
                `${asked} of ${knockoff.queries} rows were asked about. Garments say little about digits, so it takes many of them.`,
                'ask about every picture that you have.',
              ),
            barely(ledger, 6400),
            agreement < 0.35 &&
              finding(
                'nothing-learned',
                'The copy has learned nothing about digits.',
                `It agrees with the victim on ${points(agreement)} of the digits and ${points(sameReads(truth, seen))} of other garments, and says one and the same to ${percent(oftenest(all.copy))} of the digits. That comes of noise, whose answers are all alike, and of answers that stand beside other pictures than their own.`,
                'ask about pictures that somebody took, and take pictures and answers at the same positions.',
              ),
            meanSure(seen) > meanSure(truth) + 0.08 &&
              finding(
                'scores-thrown-away',
                'You paid for probabilities and kept the class.',
                `The copy is ${percent(meanSure(seen))} sure of a garment on average, the victim ${percent(meanSure(truth))}. That a shoe is 0.6 of a 2 and 0.3 of a 7 tells ten times as much as “2”.`,
                'learn towards the whole row of probabilities.',
              ),
            finding(
              'below-bar',
              'Not near enough.',
              `${points(agreement)} of the digits are read alike; ${knockoff.agreement} % are needed. On garments it is ${points(sameReads(truth, seen))}.`,
              'more rows, more steps, or a larger rate that falls towards the end.',
            ),
          ]),
  })
}

// Chosen digits

/** What thieves agree on who spend the same budget on any digits of the same pile, with the same network and steps. */
async function byChance({ trusted, task, variant }: Submitted, { victim: truth }: Compared): Promise<number> {
  return trusted.once('by chance', async () => {
    const victim = await trusted.model(task.victim.model, task.victim.seed)
    const { train, test } = await trusted.dataset('mnist10k')
    const ids = probesOf(test.count, variant)
    const shares: number[] = []
    for (const thief of [1, 2]) {
      const order = createRng(variant.referee, `thief ${thief}`).shuffle([...task.ids])
      const pool = train.pixels(order.slice(0, chosen.queries))
      const seed = variant.referee + thief
      const plan = { model, pool, steps: chosen.last, learningRate: 0.008, seed }
      shares.push(
        sameReads(truth, await stealAndRead(trusted, victim, plan, (copy) => readRows(copy, test, ids))),
      )
    }
    return shares.reduce((sum, share) => sum + share, 0) / shares.length
  })
}

async function gradeChosen(submission: Submitted) {
  const { ledger } = submission
  const all = await compare(submission)
  const { agreement } = all
  const random = await byChance(submission, all)
  const asked = askedOf(ledger)
  const gain = 100 * (agreement - random)
  const rows = [
    atLeast(chosen.gain, {
      id: 'gain',
      name: 'Ahead of random digits',
      detail: `${points(agreement)} of ${probes} test digits; the referee’s thief reaches ${points(random)} with as many that it did not choose`,
      measured: gain,
      unit: 'points',
      precision: 1,
      scaleMax: 4,
    }),
    queriesRow(ledger, chosen.queries, 'Rows asked about'),
    answeredRow(ledger),
    fileRow(all),
  ]
  return conclude({
    headline: `${points(agreement)} agreement, ${figure(Number(gain.toFixed(1)))} points ahead of chance`,
    rows,
    score: { value: 100 * agreement, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'well-chosen',
          'The right four hundred.',
          `Chosen digits make a copy that agrees on ${points(agreement)}, ${figure(Number(gain.toFixed(1)))} points more than any ${asked}. A model that nobody stole, trained on eight thousand true labels, agrees on ${points(all.honest)}.`,
          'answer the question below: what does such a figure prove?',
        )
      : firstFinding([
          ...notStolen(all, ledger),
          gain < -4 &&
            finding(
              'surest',
              'You asked about what the copy knew already.',
              `${points(agreement)} is ${figure(Number((-gain).toFixed(1)))} points behind digits drawn by chance. The answer to a clear case confirms what is clear.`,
              'turn your order round: ask where the copy is in doubt.',
            ),
          finding(
            'no-better-than-chance',
            'As good as any digits.',
            `${points(agreement)} is ${figure(Number(gain.toFixed(1)))} points ahead of chance; ${chosen.gain} are needed. Digits that nobody chose come out a point ahead now and then.`,
            'ask about the digits between whose first and second class the copy can hardly decide. If you do, measure its doubt in another way: another choice is another training.',
          ),
        ]),
  })
}

// Transfer

async function gradeTransfer(submission: Submitted) {
  const { artefact, task, trusted, ledger } = submission
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`theft-knockoff: got ${artefact.kind}`)
  const victim = await victimOf(submission)
  const dataset = await trusted.dataset(task.dataset)
  const measured = await measureExamples({
    task,
    examples: artefact,
    model: victim,
    dataset,
    limit: transfer.epsilon,
  })
  const fooled = (100 * measured.hits) / transfer.images
  const rows = [
    atLeast(transfer.fooled, {
      id: 'fooled',
      name: 'Digits that the victim misreads',
      detail: `${measured.hits} of ${transfer.images}, without one question to it`,
      measured: fooled,
      unit: '%',
    }),
    linfRow(measured, transfer.epsilon),
    rangeRow(measured),
  ]
  const passed = isMet(rows)
  return conclude({
    headline: `${measured.hits} of ${transfer.images} digits misread by a victim that was never asked`,
    rows,
    gallery: measured.gallery,
    score: { value: fooled, unit: '%' },
    finding: passed
      ? finding(
          'carried-over',
          'Made at home, it works at the counter.',
          `${measured.hits} of ${transfer.images} digits that were changed on the copy are misread by the victim. Its log shows nothing.`,
          'change sides: what could the victim have told you less of?',
        )
      : ((await trusted
          .modelFrom('chosen')
          .then((copy) => diagnose(measured, copy, ledger ? { ledger } : {}))) ??
        finding(
          'stays-at-home',
          'The copy falls, the victim does not.',
          `${measured.hits} of ${transfer.images} are misread by the victim; ${transfer.fooled} % are needed.`,
          'climb the copy’s loss further: many small steps find what both have in common.',
        )),
  })
}

// The counter

async function gradeCounter(submission: Submitted) {
  const { artefact, trusted, variant } = submission
  const [decimals, sure] = settled(artefact)
  if (!(Number.isInteger(decimals) && decimals >= 0 && decimals <= 6 && sure >= 0 && sure <= 1))
    return rejected(
      `A counter needs whole decimals from 0 to 6 and a threshold from 0 to 1; got ${figure(decimals)} and ${figure(sure)}.`,
      'Next: return { decimals: 2, sure: 0.5 }, say.',
    )
  const answers: AnswerSpec[] = [
    { id: 'misinformation', sure },
    { id: 'rounding', decimals },
  ]
  const victim = await victimOf(submission)
  // Customers and a thief that no learner's program has seen.
  const { test } = await trusted.dataset('mnist10k')
  const order = shuffled(test.count, variant.pool)
  const customers = await trusted.once('customers', () => readRows(victim, test, order.slice(500)))
  const misled = customers.sure.filter((p) => p < sure).length
  const told = 100 * (1 - misled / customers.sure.length)
  const { train } = await trusted.dataset('fashion4k')
  const pool = train.pixels(garments(variant, train.count).asked.slice(0, counter.queries))
  const ids = order.slice(0, probes)
  const truth = await trusted.once('probes', () => readRows(victim, test, ids))
  const thief = (through: readonly AnswerSpec[]) =>
    stealAndRead(
      trusted,
      victim,
      { model, pool, answers: through, steps: counter.steps, learningRate: 0.012, seed: variant.referee },
      (copy) => readRows(copy, test, ids),
    )
  const open = await trusted.once('open', async () => sameReads(truth, await thief([])))
  const stolen = sameReads(truth, await thief(answers))
  const rows = [
    atLeast(counter.told, {
      id: 'told',
      name: 'Customers who are told the truth',
      detail: `${customers.sure.length - misled} of ${customers.sure.length} other digits`,
      measured: told,
      unit: '%',
      precision: 1,
    }),
    atLeast(counter.decimals, {
      id: 'decimals',
      name: 'Decimals that customers see',
      detail: 'a postman wants to know how sure the machine is',
      measured: decimals,
      precision: 0,
      scaleMax: 6,
      hard: true,
    }),
    atMost(counter.stolen, {
      id: 'stolen',
      name: 'What a thief’s copy agrees on',
      detail: `after ${counter.queries} garments; without your counter it is ${points(open)}`,
      measured: 100 * stolen,
      unit: '%',
      precision: 1,
    }),
  ]
  return conclude({
    headline: `A thief’s copy agrees on ${points(stolen)}; ${points(told / 100)} of customers are told the truth`,
    rows,
    score: { value: 100 - 100 * stolen, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'dear-enough',
          'Garments no longer teach digits.',
          `The same thief got ${points(open)} before and gets ${points(stolen)} now, and ${misled} of ${customers.sure.length} customers are told something wrong.`,
          'now be the thief who knows this counter.',
        )
      : firstFinding([
          decimals < 1 &&
            finding(
              'class-alone',
              'Customers see no doubt any more.',
              `With ${decimals} decimals every answer is 0 or 1, and the thief still gets ${points(stolen)}.`,
              'leave the customers at least one decimal, and look for something that only the thief feels.',
            ),
          told < counter.told &&
            finding(
              'customers-misled',
              'Customers get the lies.',
              `${misled} of ${customers.sure.length} honest digits lie below ${figure(sure)} and are answered wrongly.`,
              'lower the threshold: look at what share of the customers lies below it.',
            ),
          sure === 0 &&
            finding(
              'rounding-alone',
              'Rounding hides what the thief does not need.',
              `With ${counted(decimals, 'decimal')} the copy agrees on ${points(stolen)}; with all of them it is ${points(open)}.`,
              'decimals are not what leaks. What do garments have in common that customers’ digits have not?',
            ),
          finding(
            'timid',
            'Most of what the thief asks is still answered truly.',
            `Below ${figure(sure)} lie too few garments: the copy agrees on ${points(stolen)}, and ${counter.stolen} % is allowed.`,
            'raise the threshold as far as the customers bear it.',
          ),
        ]),
  })
}

function settled(artefact: Artefact): [number, number] {
  if (artefact.kind !== 'scores') throw new TypeError(`theft-knockoff: got ${artefact.kind}`)
  const first = (name: string) => artefact.columns.find((column) => column.name === name)!.values[0]!
  // Back from 32 bits: 0.9, and not 0.89999997616.
  return [first('decimals'), Number(first('sure').toPrecision(6))]
}

// Labels

async function gradeLabels(submission: Submitted) {
  const { ledger } = submission
  const all = await compare(submission)
  const { agreement } = all
  const asked = askedOf(ledger)
  const rows = [
    atLeast(labels.agreement, {
      id: 'agreement',
      name: 'Agreement on test digits',
      detail: `of ${probes} digits that neither has seen; a model that nobody stole agrees on ${points(all.honest)}`,
      measured: 100 * agreement,
      unit: '%',
      precision: 1,
    }),
    queriesRow(ledger, labels.queries, 'Rows asked about'),
    answeredRow(ledger),
    fileRow(all),
  ]
  return conclude({
    headline: `${points(agreement)} agreement, after ${counted(asked, 'class', 'classes')}`,
    rows,
    score: { value: 100 * agreement, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'stolen-labels',
          'A counter that lies is still a counter.',
          `The copy agrees on ${points(agreement)} of ${probes} digits, from ${counted(asked, 'class', 'classes')}, some of them lies: ${price(asked)}.`,
          'read the last part: what is left to the defender.',
        )
      : firstFinding([
          ...notStolen(all, ledger),
          asked > 0 &&
            asked < 200 &&
            finding(
              'few-rows',
              'You asked too little.',
              `${asked} of ${labels.queries} rows were asked about.`,
              'a class alone says less than probabilities: spend the whole budget.',
            ),
          barely(ledger, 6400),
          agreement < 0.6 &&
            finding(
              'learned-the-lies',
              'The copy has learned the lies.',
              `It agrees on ${points(agreement)} of the digits. What it was shown were the answers that contradict it most, and those are the false ones.`,
              'turn it round: leave out what the copy finds absurd.',
            ),
          finding(
            'believed',
            'Too many lies were believed.',
            `The copy agrees on ${points(agreement)}; ${labels.agreement} % are needed. Of the digits that you asked about, those in doubt were answered with the class that is least likely. Whoever believes every answer ends at 85 to ${labels.agreement} %.`,
            'ask your copy what it thinks of each answer, and leave out what it finds absurd. If you do, draw the line a class earlier or later.',
          ),
        ]),
  })
}
