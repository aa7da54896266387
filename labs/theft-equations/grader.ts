import {
  agreement,
  atLeast,
  atMost,
  borderThief,
  conclude,
  counted,
  createRng,
  defineLab,
  equationThief,
  figure,
  finding,
  firstFinding,
  isSame,
  logOdds,
  logisticOf,
  logisticTensors,
  logisticVictim,
  oneSided,
  percent,
  queriesRow,
  quizCheckpoint,
  randomProbes,
  rejected,
  roundedAnswers,
  sigmoid,
  tableRows,
  weightError,
  type Artefact,
  type EvidenceRow,
  type Finding,
  type LedgerSummary,
  type LogisticModel,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

const inputs = 30
const cents = 5

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const exact = { queries: inputs + 1, error: 1e-3 }
const rounded = { queries: inputs + 1, error: 0.06, step: 0.01 }
const labels = { queries: 600, keys: 15, perKey: 40, agreement: 99.3 }
const counter = { kept: 90, days: 7, agreement: 0.98, clinics: 40, period: 30 }
const probes = 4000

interface Variant {
  /** Which patients the hospital trained on. */
  victim: number
  /** Where the copies are compared, and the referee's own clinics and thieves. */
  referee: number
  /** The clinics whose log the learner is shown. */
  clinics: number
}
type Submitted = Submission<Variant>

const base = (variant: Variant) => ({
  victim: { model: 'tumour-logistic', seed: variant.victim },
  dataset: 'breast-cancer',
  split: 'test' as const,
})

export default defineLab<Variant>({
  variant: (rng) => ({ victim: rng.uint32(), referee: rng.uint32(), clinics: rng.uint32() }),
  checkpoints: {
    exact: {
      accepts: 'model-weights',
      task: (variant, trusted) =>
        task(variant, trusted, { queries: exact.queries, inputs }, { api: { cents } }),
      grade: (submission) => gradeWeights(submission, exact),
    },
    rounded: {
      accepts: 'model-weights',
      task: (variant, trusted) =>
        task(
          variant,
          trusted,
          { queries: rounded.queries, inputs },
          { api: { cents, answers: [{ id: 'rounding', decimals: 2 }] } },
        ),
      grade: (submission) => gradeWeights(submission, rounded),
    },
    'what-proves': quizCheckpoint('what-proves', guide.quizzes),
    counter: {
      accepts: 'scores',
      async task(variant, trusted) {
        const days = clinicDays(createRng(variant.clinics, 'clinics'), 20).join(' ')
        const { surrogate: _, ...own } = await task(variant, trusted, { days }, { api: {} })
        return { ...own, columns: ['step', 'perDay'] }
      },
      grade: gradeCounter,
    },
    labels: {
      accepts: 'model-weights',
      task: (variant, trusted) =>
        task(
          variant,
          trusted,
          { queries: labels.queries, keys: labels.keys, perKey: labels.perKey, inputs },
          { api: { cents, keys: labels.keys, perKey: labels.perKey } },
        ),
      grade: gradeLabels,
    },
  },
})

/** All patients of the public table's second part lie open: they are no secret, and the first thing that one would ask about. */
async function task(
  variant: Variant,
  trusted: Trusted,
  values: Task['values'],
  more: Pick<Task, 'api'>,
): Promise<Task> {
  const { test } = await trusted.dataset('breast-cancer')
  return {
    ...base(variant),
    ids: Array.from({ length: test.count }, (_, id) => id),
    labels: Array.from(test.labels),
    values,
    surrogate: logisticTensors(inputs),
    ...more,
  }
}

async function victimOf({ task, trusted }: Submitted): Promise<LogisticModel> {
  return logisticVictim(await trusted.model(task.victim.model, task.victim.seed))
}

const askedOf = (ledger: LedgerSummary | undefined) =>
  Object.values(ledger?.rows ?? {}).reduce((sum, rows) => sum + rows, 0)
const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)

/** What no thief may hand in, whichever way the API answers. */
function notStolen(copy: LogisticModel, victim: LogisticModel, points: Float32Array[]): (Finding | false)[] {
  const side = oneSided(copy, points)
  return [
    isSame(copy, victim) &&
      finding(
        'victims-own',
        'These are the victim’s own numbers.',
        'All 31 equal the victim’s to the last bit. Answers with 24 bits leave traces of rounding; a file or a training repeated leaves none.',
        'hand in what your program worked out from the answers.',
      ),
    side > 0.995 &&
      finding(
        'constant',
        'This copy says the same to everybody.',
        `${percent(side)} of ${points.length} random points get one answer. On patients such a model is right about two times in three, which is why nobody grades it there.`,
        'check that the weights are not all zero: print a few before you hand in.',
      ),
  ]
}

// Exact and rounded answers

async function gradeWeights(submission: Submitted, bar: { queries: number; error: number; step?: number }) {
  const { artefact, ledger, variant } = submission
  const victim = await victimOf(submission)
  const copy = logisticOf(artefact)
  const points = randomProbes(probes, inputs, variant.referee)
  const error = weightError(copy, victim)
  const same = agreement(copy, victim, points)
  const rows = [
    atMost(bar.error, {
      id: 'error',
      name: 'Largest error of a weight',
      detail: `of 30 weights and the bias; the largest is ${figure(Math.max(...victim.weights.map(Math.abs)))}`,
      measured: Math.min(error, 1e6),
      precision: bar.error < 0.01 ? 4 : 3,
      scaleMax: 2 * bar.error,
    }),
    queriesRow(ledger, bar.queries, 'Questions'),
    ownRow(copy, victim),
  ]
  const asked = askedOf(ledger)
  return conclude({
    headline: `Largest error ${figure(error)}, after ${counted(asked, 'question')}`,
    rows,
    score: { value: 100 * same, unit: '%' },
    finding: isMet(rows)
      ? finding(
          bar.step ? 'stolen-rounded' : 'stolen',
          bar.step ? 'Two digits were enough.' : 'The model is yours.',
          `Every weight is right to within ${figure(error)}, and the copy says what the victim says on ${percent(same)} of ${probes} random points. It cost ${asked} questions, ${price(asked)}.`,
          bar.step
            ? 'rounding took digits from you, and from every customer too. Look at the log.'
            : 'look at “What the provider saw” in the guide: would you have noticed?',
        )
      : firstFinding([
          timid(copy, bar.step ?? 0),
          ...notStolen(copy, victim, points),
          asked > bar.queries &&
            finding(
              'too-many-questions',
              'More questions than unknowns.',
              `${asked} rows were asked about. There are 31 unknowns, and each exact answer is one equation.`,
              'choose rows that each say something new.',
            ),
          ...slips(copy, victim, bar.step ? 0.06 : 0.01),
          error > 4 * bar.error && saturated(bar.step ?? 0),
          finding(
            'inexact',
            'Near, but not the victim.',
            `The largest error is ${figure(error)}, and ${figure(bar.error)} is allowed; on random points the copy agrees ${percent(same)}.`,
            'print your weights beside the answers that they came from, one axis at a time.',
          ),
        ]),
  })
}

function ownRow(copy: LogisticModel, victim: LogisticModel): EvidenceRow {
  return atMost(0, {
    id: 'own',
    name: 'Taken from the victim’s own file',
    measured: Number(isSame(copy, victim)),
    precision: 0,
    scaleMax: 1,
    hard: true,
  })
}

/** Right answers, wrong algebra: each leaves exactly one trace in the numbers. */
function slips(copy: LogisticModel, victim: LogisticModel, near: number): (Finding | false)[] {
  const off = (expected: (weight: number) => number) =>
    copy.weights.reduce(
      (most, weight, i) => Math.max(most, Math.abs(weight - expected(victim.weights[i]!))),
      0,
    )
  const base = sigmoid(victim.bias)
  return [
    off((w) => sigmoid(w + victim.bias) - base) < near &&
      off((w) => w) > near &&
      finding(
        'probabilities',
        'These are differences of probabilities.',
        'Each weight is what the probability moved by. The model adds up weights first and bends the sum into a probability afterwards.',
        'turn each answer p into its log-odds, log(p / (1 − p)), before you solve.',
      ),
    off((w) => w + victim.bias) < near &&
      Math.abs(victim.bias) > near &&
      finding(
        'bias-inside',
        'The bias is in every weight.',
        `Each of your weights is too large by ${figure(victim.bias)}, which is the victim’s bias: the answer to the average patient.`,
        'subtract the log-odds of the all-zero row from the others.',
      ),
    off((w) => -w) < near &&
      finding(
        'inside-out',
        'Inside out.',
        'Every weight is right and has the wrong sign: your copy calls the sick healthy.',
        'log-odds of malignant are log(p / (1 − p)), p being the second of the two scores.',
      ),
    off((w) => w) < near &&
      Math.abs(copy.bias) < 1e-6 &&
      finding(
        'no-bias',
        'The bias is missing.',
        `All weights are right, and the bias is 0 where the victim’s is ${figure(victim.bias)}. Thirty weights and a bias are 31 unknowns.`,
        'the all-zero row tells the bias and nothing else.',
      ),
  ]
}

/** Rows so near the average patient that rounding swallows the difference. */
function timid({ weights }: LogisticModel, step: number): Finding | false {
  const silent = weights.filter((weight) => weight === 0).length
  return (
    step > 0 &&
    silent >= 8 &&
    finding(
      'timid',
      'Most questions changed nothing.',
      `${silent} of 30 weights came out as exactly 0: the answer to such a row rounds to the same two digits as the average patient’s.`,
      'take longer steps, so that an answer moves by many hundredths.',
    )
  )
}

/** Rows so far out that the answer is flat. */
const saturated = (step: number) =>
  finding(
    'saturated',
    'Answers of 0 and 1 have no digits left.',
    step > 0
      ? 'A row that is too long is answered 0.00 or 1.00, and then its log-odds are anybody’s guess: many weights come out too small.'
      : 'A real patient is usually a clear case. Near 1 a 32-bit probability cannot show the difference between 0.99999994 and 1, and log-odds live in that difference.',
    'ask where the answer is near one half: the average patient, and small steps away from it.',
  )

const price = (rows: number) => `€${((rows * cents) / 100).toFixed(2)}`

// Labels only

async function gradeLabels(submission: Submitted) {
  const { artefact, ledger, variant } = submission
  const victim = await victimOf(submission)
  const copy = logisticOf(artefact)
  const points = randomProbes(probes, inputs, variant.referee)
  const same = agreement(copy, victim, points)
  const patients = tableRows(await submission.trusted.dataset('breast-cancer'), 'test')
  const onPatients = agreement(copy, victim, patients)
  const asked = askedOf(ledger)
  const rows = [
    atLeast(labels.agreement, {
      id: 'agreement',
      name: 'Agreement on random points',
      detail: `of ${probes} points; ${percent(onPatients)} on the ${patients.length} test patients`,
      measured: 100 * same,
      unit: '%',
      precision: 1,
    }),
    queriesRow(ledger, labels.queries, 'Questions'),
    ownRow(copy, victim),
  ]
  const throughZero = Math.abs(copy.bias) < 1e-9
  return conclude({
    headline: `${percentExactly(same)} agreement, after ${counted(asked, 'question')}`,
    rows,
    score: { value: 100 * same, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'stolen-labels',
          'Yes and no were enough.',
          `The copy agrees on ${percentExactly(same)} of ${probes} random points, from ${counted(asked, 'question')} by ${counted(ledger?.accounts?.used ?? 0, 'key')}: ${price(asked)}. Hiding the scores made the theft ${(asked / exact.queries).toFixed(0)} times as dear, and no more.`,
          'read the last part: what is left to the defender.',
        )
      : firstFinding([
          ...notStolen(copy, victim, points),
          same < 0.2 &&
            finding(
              'inside-out',
              'Inside out.',
              `The copy agrees on ${percentExactly(same)}: the plane is right, and its sides are exchanged.`,
              'look at the sign on a patient that you know to be malignant, and turn the plane round if it is wrong.',
            ),
          throughZero &&
            finding(
              'through-zero',
              'Your plane goes through the average patient.',
              'The bias is 0. A plane in 30 dimensions has 31 unknowns, and without the last it must pass through the origin, where the victim’s does not.',
              'append a 1 to every border point: its weight is the bias.',
            ),
          asked < 400 &&
            same < 0.86 &&
            finding(
              'few-points',
              'Too few points for a plane.',
              `${asked} questions were asked, and the agreement is ${percentExactly(same)}. Thirty points of the border settle a plane through 30 dimensions, and a few more forgive what each is off by.`,
              'look for 40 to 45 points, each a little less exactly.',
            ),
          same < 0.75 &&
            finding(
              'one-end',
              'These points do not lie on the border.',
              `With ${asked} questions the agreement is ${percentExactly(same)}. A bisection that keeps the wrong half ends at a patient, not at the border.`,
              'print the answers at both ends of each half: they must differ to the last.',
            ),
          asked < 400 &&
            finding(
              'coarse-border',
              'The border is met too roughly.',
              `${asked} of ${labels.queries} questions were asked, and the agreement is ${percentExactly(same)}. Each halving doubles how exactly a point is known.`,
              'spend the rest on more halvings: eight to ten for each point.',
            ),
          finding(
            'below-bar',
            'Not near enough.',
            `${percentExactly(same)} agreement after ${counted(asked, 'question')}; ${labels.agreement} % are needed. On test patients it is ${percent(onPatients)}, which says nothing.`,
            'questions far from the border say little: walk to it.',
          ),
        ]),
  })
}

const percentExactly = (share: number) => `${(100 * share).toFixed(1)} %`

// The counter

/** Rows a day of clinics, small and large; now and then one screens a whole village. */
function clinicDays(rng: ReturnType<typeof createRng>, clinics: number): number[] {
  return Array.from({ length: clinics }, () => 4 + rng.below(17)).flatMap((usual) =>
    Array.from({ length: counter.period }, () =>
      rng.below(40) === 0 ? 24 + rng.below(9) : Math.max(1, Math.round(usual * (0.6 + 0.8 * rng.uniform()))),
    ),
  )
}

async function gradeCounter(submission: Submitted) {
  const { artefact, variant } = submission
  const [step, perDay] = chosen(artefact)
  if (!(step >= 0 && step <= 1 && perDay >= 1))
    return rejected(
      `A counter needs a step from 0 to 1 and at least one row a day; got ${figure(step)} and ${figure(perDay)}.`,
      'Next: return { step: 0.1, perDay: 30 }, say.',
    )
  const victim = await victimOf(submission)
  // Patients and clinics that no learner's program has seen.
  const answer = roundedAnswers(victim, step)
  const patients = tableRows(await submission.trusted.dataset('breast-cancer'), 'train')
  const doubtful = patients.filter((x) => Math.abs(sigmoid(logOdds(victim, x)) - 0.5) < 0.3)
  const seen = answer(doubtful).filter((p) => p > 0.1 && p < 0.9).length
  const kept = (100 * seen) / doubtful.length
  const days = clinicDays(createRng(variant.referee, 'clinics'), counter.clinics)
  const turnedAway = days.filter((rows) => rows > perDay).length
  const thief = await cheapestThief(victim, step, variant.referee)
  const needed = thief.rows / perDay
  const rows = [
    atLeast(counter.kept, {
      id: 'kept',
      name: 'Doubtful patients still seen as doubtful',
      detail: `${seen} of ${doubtful.length} other patients`,
      measured: kept,
      unit: '%',
    }),
    atMost(0, {
      id: 'turned-away',
      name: 'Days on which a clinic was turned away',
      detail: `of ${days.length} days of ${counter.clinics} other clinics`,
      measured: turnedAway,
      precision: 0,
      scaleMax: 100,
      hard: true,
    }),
    atLeast(counter.days, {
      id: 'price',
      name: 'Days that a thief with one key needs',
      detail: `${thief.rows} rows for ${100 * counter.agreement} % agreement, ${thief.how}`,
      measured: needed,
      unit: 'days',
      precision: 1,
      scaleMax: 2 * counter.days,
    }),
  ]
  return conclude({
    headline: `A thief needs ${needed.toFixed(1)} days; ${seen} of ${doubtful.length} doubtful patients seen, ${counted(turnedAway, 'day')} turned away`,
    rows,
    score: { value: needed, unit: 'days' },
    finding: isMet(rows)
      ? finding(
          'dear-enough',
          'Dear for the thief, cheap for the customer.',
          `With steps of ${figure(step)} and ${perDay} rows a key and day, the referee’s thief asks ${thief.rows} rows, ${thief.how}, instead of 31. No clinic is turned away.`,
          'you have bought time from one key. Now be the thief who holds fifteen.',
        )
      : firstFinding([
          turnedAway > 0 &&
            finding(
              'turned-away',
              'Clinics stand before a closed counter.',
              `On ${turnedAway} of ${days.length} days a clinic wanted more than ${perDay} rows. A screening day is no theft.`,
              'leave room above the busiest day of the log: these are other clinics.',
            ),
          kept < counter.kept &&
            finding(
              'doubt-lost',
              'The doubtful have vanished.',
              `${doubtful.length - seen} of ${doubtful.length} doubtful patients are told as clear cases. Whoever needs a second doctor is sent home.`,
              'make the step finer, until an answer of about one half is still an answer of about one half.',
            ),
          thief.rows <= 93 &&
            finding(
              'too-exact',
              'The model is gone in a day.',
              `Answers in steps of ${figure(step)} give it away in ${thief.rows} rows, ${thief.how}; a key may ask ${perDay} a day. No quota that clinics can live with helps against that.`,
              'make the answers coarser: how coarse may they be before doctors lose something?',
            ),
          finding(
            'open-door',
            'Nobody counts.',
            `The thief needs ${thief.rows} rows, and a key may ask ${perDay} a day: ${needed.toFixed(1)} days. The busiest honest day has ${Math.max(...days)}.`,
            'lower the quota towards what clinics need.',
          ),
        ]),
  })
}

function chosen(artefact: Artefact): [number, number] {
  if (artefact.kind !== 'scores') throw new TypeError(`theft-equations: got ${artefact.kind}`)
  const first = (name: string) => artefact.columns.find((column) => column.name === name)!.values[0]!
  // Back from 32 bits: 0.2, and not 0.20000000298.
  return [Number(first('step').toPrecision(6)), Math.floor(first('perDay'))]
}

/** The referee tries both ways, equations and a walk to the border (the class is always told), and takes the cheaper. */
async function cheapestThief(
  victim: LogisticModel,
  step: number,
  seed: number,
): Promise<{ rows: number; how: string }> {
  const points = randomProbes(2000, inputs, seed + 1)
  const isGood = (copy: LogisticModel) => agreement(copy, victim, points) >= counter.agreement
  const plans = [
    { maxQueries: 330, halvings: 8 },
    { maxQueries: 370, halvings: 7 },
    { maxQueries: 415, halvings: 8 },
    { maxQueries: 505, halvings: 10 },
  ]
  let most = 1000
  for (const plan of plans) {
    const { model, rows } = await borderThief(victim, { ...plan, seed })
    if (!isGood(model)) continue
    most = rows
    break
  }
  const equations =
    step < 1 ? await equationThief(victim, { step, seed, maxRows: most - 1, done: isGood }) : undefined
  return equations
    ? { rows: equations.rows, how: 'by equations' }
    : { rows: most, how: 'by walking to the border' }
}
