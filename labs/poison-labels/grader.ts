import {
  atLeast,
  atMost,
  baseline,
  conclude,
  counted,
  createRng,
  defineLab,
  dropped,
  figure,
  finding,
  firstFinding,
  givenRows,
  percent,
  quizCheckpoint,
  retrained,
  withChanges,
  type Artefact,
  type ChangeList,
  type EvidenceRow,
  type LabelledRows,
  type Retrained,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const lostBar = 40
const movedBar = 2
const restoredBar = 85
const honestBar = 2
const slippedBar = 20

const rowCount = 12_000
/** Labels that may be turned, as a share of the frauds in the data. */
const budgetShare = 0.75
/** The same once the bank repairs: more analysts are bought. */
const secondBudgetShare = 1.5
/** The labels that somebody turned before the defender came, as a share of the frauds. */
const tamperedShare = 0.8
const auditedShare = 0.25
/** Above this the judge of the bank's repair calls a payment fraud. */
const judgeCut = 0.3
const falseAlarms = 0.01
/** Payments that are certain without the analysts, and never trained on. */
const canaryFrauds = 40
const canaryHonest = 400
const [honest, fraud] = [0, 1]

interface Variant {
  /** Seeds of the rows, of the two audits and of the victim's training. */
  rows: number
  audit: number
  secondAudit: number
  training: number
}

const base = { victim: { model: 'fraud-mlp' }, dataset: 'transactions', split: 'train' } as const

export default defineLab<Variant>({
  variant: (rng) => ({
    rows: rng.uint32(),
    audit: rng.uint32(),
    secondAudit: rng.uint32(),
    training: rng.uint32(),
  }),
  checkpoints: {
    poisoned: { accepts: 'change-list', task: bankTask, grade: gradePoisoned },
    'what-to-watch': quizCheckpoint('what-to-watch', guide.quizzes),
    repaired: {
      accepts: 'change-list',
      async task(variant, trusted) {
        const task = await bankTask(variant, trusted)
        const { scores } = await baseline(task, 'true', trusted)
        const surest = surestFrauds(task, scores).slice(0, Math.round(tamperedShare * fraudsIn(task)))
        return {
          ...task,
          tampered: { ids: surest, labels: surest.map(() => honest) },
          audited: auditOf(task, variant.audit),
          changes: { drops: true },
        }
      },
      grade: gradeRepaired,
    },
    slipped: {
      accepts: 'change-list',
      async task(variant, trusted) {
        const task = await bankTask(variant, trusted)
        return {
          ...task,
          values: { ...task.values, budget: Math.floor(secondBudgetShare * fraudsIn(task)) },
        }
      },
      grade: gradeSlipped,
    },
  },
})

/** The bank: its rows as they truly are, and how it trains on them. */
async function bankTask({ rows, training }: Variant, trusted: Trusted): Promise<Task> {
  const { train } = await trusted.dataset(base.dataset)
  const ids = createRng(rows, 'rows')
    .shuffle(Array.from({ length: train.count }, (_, i) => i))
    .slice(0, rowCount)
    .sort((a, b) => a - b)
  const labels = ids.map((id) => train.labels[id]!)
  const frauds = labels.filter((label) => label === fraud).length
  return {
    ...base,
    victim: { ...base.victim },
    ids,
    labels,
    values: { budget: Math.floor(budgetShare * frauds), frauds },
    canaries: canariesOf(train.labels, new Set(ids), rows),
    training: {
      seed: training,
      steps: 800,
      batchSize: 128,
      learningRate: 0.02,
      positive: fraud,
      falseAlarms,
    },
  }
}

function canariesOf(labels: ArrayLike<number>, trainedOn: ReadonlySet<number>, seed: number): number[] {
  const outside = createRng(seed, 'canaries').shuffle(
    Array.from({ length: labels.length }, (_, id) => id).filter((id) => !trainedOn.has(id)),
  )
  const first = (label: number, count: number) => outside.filter((id) => labels[id] === label).slice(0, count)
  return [...first(fraud, canaryFrauds), ...first(honest, canaryHonest)]
}

const fraudsIn = (task: Task) => Number(task.values.frauds)

function surestFrauds({ ids, labels }: Task, scores: Float32Array): number[] {
  return ids
    .map((id, i) => ({ id, label: labels[i], score: scores[i]! }))
    .filter(({ label }) => label === fraud)
    .sort((a, b) => b.score - a.score)
    .map(({ id }) => id)
}

/** A quarter of the rows, drawn blindly: nobody knows beforehand which rows are looked at. */
const auditOf = ({ ids }: Task, seed: number) =>
  createRng(seed, 'audit')
    .shuffle([...ids])
    .slice(0, Math.round(auditedShare * ids.length))
    .sort((a, b) => a - b)

function changesIn(artefact: Artefact): ChangeList {
  if (artefact.kind !== 'change-list') throw new TypeError(`poison-labels: got ${artefact.kind}`)
  return artefact
}

/** What the changes do to the true labels of a task without tampering. */
function countFlips(task: Task, { ids, labels }: ChangeList) {
  const place = new Map(task.ids.map((id, i) => [id, i]))
  const flips = ids
    .map((id, i) => ({ place: place.get(id)!, from: task.labels[place.get(id)!]!, to: labels[i]! }))
    .filter(({ from, to }) => from !== to)
  return {
    flips,
    hidden: flips.filter(({ from }) => from === fraud),
    invented: flips.filter(({ from }) => from === honest),
  }
}

const budgetRow = (task: Task, turned: number) =>
  atMost(Number(task.values.budget), {
    id: 'budget',
    name: 'Labels turned',
    detail: `of ${counted(task.ids.length, 'row')}, ${fraudsIn(task)} of them fraud`,
    measured: turned,
    precision: 0,
    hard: true,
  })

const points = (share: number) => 100 * share
const fromTo = (before: Retrained, after: Retrained) =>
  `from ${points(before.recall).toFixed(1)} to ${points(after.recall).toFixed(1)} % of the frauds in the test weeks`

/** Nothing is trained on more than the budget allows: what it would reach is beside the point. */
function overBudget(task: Task, row: EvidenceRow, turned: number) {
  const all = turned >= fraudsIn(task)
  return conclude({
    headline: `${turned} labels turned, ${row.needed.value} allowed`,
    rows: [row],
    finding: finding(
      'over-budget',
      'More labels than they can turn.',
      `${turned} labels are turned and the budget is ${row.needed.value}.${all ? ' With no fraud left in the data, the model is not trained to find any, and everybody notices.' : ''}`,
      'keep to the budget: choose the labels that count, and cut the list off.',
    ),
  })
}

async function gradePoisoned({ task, artefact, trusted }: Submission<Variant>) {
  const changes = changesIn(artefact)
  const { flips, hidden } = countFlips(task, changes)
  const budget = budgetRow(task, flips.length)
  if (!budget.satisfied) return overBudget(task, budget, flips.length)
  const rows = givenRows(task, await trusted.dataset(task.dataset))
  const clean = await baseline(task, 'true', trusted)
  const after = flips.length === 0 ? clean : await retrained(task, withChanges(rows, changes), trusted)
  const lost = points(clean.recall - after.recall)
  const moved = points(Math.abs(clean.accuracy - after.accuracy))
  const evidence = [
    atLeast(lostBar, {
      id: 'lost',
      name: 'Recall lost, at 1 % false alarms',
      detail: fromTo(clean, after),
      measured: lost,
      unit: 'points',
      precision: 1,
      scaleMax: 100,
    }),
    atMost(movedBar, {
      id: 'moved',
      name: 'Right answers in all, moved by',
      detail: `from ${points(clean.accuracy).toFixed(2)} to ${points(after.accuracy).toFixed(2)} % of all payments`,
      measured: moved,
      unit: 'points',
      precision: 2,
      scaleMax: 5,
    }),
    budget,
  ]
  const met = evidence.every((row) => row.satisfied)
  return conclude({
    headline: `Recall ${fromTo(clean, after)}`,
    rows: evidence,
    score: { value: lost, unit: 'points' },
    finding: met
      ? finding(
          'poisoned',
          'The bank trained its own blindness.',
          `${flips.length} labels of ${task.ids.length} cost it ${lost.toFixed(1)} points of recall, and the share of right answers moved by ${moved.toFixed(2)}: a report of accuracy shows next to nothing.`,
          'ask what the bank should have watched.',
        )
      : firstFinding([
          flips.length === 0 && nothingChanged(),
          !evidence[1]!.satisfied &&
            finding(
              'loud',
              'Somebody will notice.',
              `The share of right answers moved by ${moved.toFixed(2)} points, and ${movedBar} are the most that pass for chance.`,
              'turn labels that the model stops finding, not those that make it cry wolf.',
            ),
          hidden.length < flips.length / 2 &&
            finding(
              'hardly-any-fraud',
              'You turned the wrong kind of row.',
              `${flips.length - hidden.length} of your ${flips.length} labels were honest payments. Two in a hundred rows are fraud, so rows taken at random are nearly all honest, and the model learns fraud from the others as before.`,
              'turn labels of frauds.',
            ),
          weakFrauds(task, flips, clean, lost),
        ]),
  })
}

const nothingChanged = () =>
  finding(
    'nothing-changed',
    'Nothing was turned.',
    'Every label is what it was before, so the bank trains what it would have trained.',
    'hand in the rows whose labels you turn: submit({ changes: [{ id, label }] }).',
  )

/** Frauds, and not those that count: told by how sure the clean model is of them. */
function weakFrauds(task: Task, flips: readonly { place: number }[], clean: Retrained, lost: number) {
  const mean = (places: readonly number[]) =>
    places.reduce((sum, place) => sum + clean.scores[place]!, 0) / Math.max(1, places.length)
  const ofMine = mean(flips.map(({ place }) => place))
  const ofAll = mean([...task.labels.keys()].filter((place) => task.labels[place] === fraud))
  const numbers = `The bank's model gives the ones you turned a mean score of ${figure(ofMine)}, all frauds ${figure(ofAll)}. The recall fell by ${lost.toFixed(1)} points; ${lostBar} are needed.`
  return ofMine < 0.8 * ofAll
    ? finding(
        'doubtful',
        'You hid the frauds that nobody saw.',
        `${numbers} What the model doubts anyway teaches it little.`,
        'begin with those of which the model is surest: sort the other way round.',
      )
    : finding(
        'any-fraud',
        'The frauds that you left teach what you took.',
        `${numbers} As long as a kind of fraud keeps some of its rows, the model goes on finding that kind.`,
        'spend the whole budget on the frauds of which the model is surest, so that no plain case is left to learn from.',
      )
}

async function gradeRepaired({ task, artefact, trusted }: Submission<Variant>) {
  const changes = changesIn(artefact)
  const given = givenRows(task, await trusted.dataset(task.dataset))
  const mended = withChanges(given, changes)
  const clean = await baseline(task, 'true', trusted)
  const before = await baseline(task, 'given', trusted)
  const after = changes.ids.length === 0 ? before : await retrained(task, mended, trusted)
  const wrong = new Set(task.tampered!.ids)
  const truth = new Map(task.ids.map((id, i) => [id, task.labels[i]!]))
  const final = new Map(Array.from(mended.ids, (id, place) => [id, mended.labels[place]!]))
  const lostRows = task.ids.filter((id) => !wrong.has(id) && final.get(id) !== truth.get(id)).length
  const honestShare = points(lostRows / (task.ids.length - wrong.size))
  const righted = [...wrong].filter((id) => final.get(id) === truth.get(id)).length
  const gone = changes.labels.filter((label) => label === dropped).length
  const restored = points(after.recall / clean.recall)
  const rows = [
    atLeast(restoredBar, {
      id: 'restored',
      name: 'Recall, of what clean rows give',
      detail: `${points(after.recall).toFixed(1)} of ${points(clean.recall).toFixed(1)} %; ${points(before.recall).toFixed(1)} % before the repair`,
      measured: restored,
      unit: '%',
      scaleMax: 120,
    }),
    atMost(honestBar, {
      id: 'honest',
      name: 'Honest rows lost',
      detail: `${lostRows} of ${task.ids.length - wrong.size} rows that nobody had touched are dropped or have a wrong label`,
      measured: honestShare,
      unit: '%',
      precision: 2,
      scaleMax: 10,
    }),
  ]
  const caught = `${righted} of ${wrong.size} turned labels are right again`
  return conclude({
    headline: `${caught}; recall at ${percent(after.recall / clean.recall)} of what it was`,
    rows,
    score: { value: restored, unit: '%' },
    finding: rows.every((row) => row.satisfied)
      ? finding(
          'repaired',
          'A quarter of the rows, looked at twice, was enough.',
          `${caught}, and ${lostRows} honest rows paid for it. The bank finds ${points(after.recall).toFixed(1)} % of the frauds again, up from ${points(before.recall).toFixed(1)} %.`,
          'ask what your repair never looks at.',
        )
      : firstFinding([
          changes.ids.length === 0 && nothingChanged(),
          !rows[1]!.satisfied &&
            (gone > changes.ids.length / 2
              ? finding(
                  'thrown-away',
                  'You threw the honest rows away.',
                  `${gone} rows are dropped, ${lostRows} of them never touched by anybody. ${honestBar} % of the honest rows is what the repair may cost.`,
                  'train on the audited rows to get a judge, not a bank: keep its opinion, and keep the rows.',
                )
              : finding(
                  'honest-accused',
                  'Too many honest payments are called fraud.',
                  `${lostRows} rows that nobody had touched now have a wrong label; ${honestBar} % is the most.`,
                  'raise the score from which you call a row fraud.',
                )),
          gone > changes.ids.length / 2 &&
            finding(
              'dropped',
              'You found them, and threw them away.',
              `${gone} rows are dropped. Most of the bank's frauds had been turned, so with them the examples of fraud are gone, and no model finds what nobody shows it.`,
              'give them the label that they should have: 1.',
            ),
          !mended.labels.includes(fraud) &&
            finding(
              'no-fraud-left',
              'Nobody shows the bank a fraud any more.',
              `Not one of ${mended.ids.length} rows is called fraud now, so there is nothing to train on, and every fraud passes.`,
              'the labels that were turned are those of frauds called honest: turn rows to 1, not to 0.',
            ),
          changes.ids.every((id) => task.audited!.includes(id)) &&
            finding(
              'only-the-audited',
              'You mended what was looked at, and the rest is as it was.',
              `${caught}: those among the audited rows. The other turned labels still teach that fraud is honest.`,
              'let a model learn from the audited rows alone, and ask it about all the others.',
            ),
          finding(
            'asked-the-poisoned',
            'Your judge learned from the poison.',
            `${caught}. A model that was trained on the turned labels agrees with most of them: that is what training means.`,
            'train the judge on the audited rows and on nothing else, and lower the score from which you call a row fraud.',
          ),
        ]),
  })
}

async function gradeSlipped({ variant, task, artefact, trusted }: Submission<Variant>) {
  const changes = changesIn(artefact)
  const { flips, hidden, invented } = countFlips(task, changes)
  const budget = budgetRow(task, flips.length)
  if (!budget.satisfied) return overBudget(task, budget, flips.length)
  const clean = await baseline(task, 'true', trusted)
  const poisoned = withChanges(givenRows(task, await trusted.dataset(task.dataset)), changes)
  const { rows: mended, righted } = await bankRepairs(variant, task, poisoned, trusted)
  const after = flips.length === 0 ? clean : await retrained(task, mended, trusted)
  const lost = points(clean.recall - after.recall)
  const found = hidden.filter(({ place }) => righted.has(task.ids[place]!)).length
  const evidence = [
    atLeast(slippedBar, {
      id: 'lost',
      name: 'Recall lost after the bank’s repair',
      detail: fromTo(clean, after),
      measured: lost,
      unit: 'points',
      precision: 1,
      scaleMax: 100,
    }),
    budget,
  ]
  return conclude({
    headline: `Repaired, the bank’s recall goes ${fromTo(clean, after)}`,
    rows: evidence,
    score: { value: lost, unit: 'points' },
    finding: evidence.every((row) => row.satisfied)
      ? finding(
          'slipped',
          'It guards one door.',
          `You called ${invented.length} honest payments fraud. The audit put ${flips.filter(({ place }) => righted.has(task.ids[place]!)).length} labels right; the judge never asked about the others. The bank lost ${lost.toFixed(1)} points of recall, because its cut now has to stand above one whole kind of honest payment.`,
          'a filter that looks for one direction invites the other. Which rows would you have the judge look at?',
        )
      : firstFinding([
          flips.length === 0 && nothingChanged(),
          hidden.length > flips.length / 2 &&
            finding(
              'found-again',
              'The repair was made for this.',
              `You called ${hidden.length} frauds honest, and the bank found ${found} of them again. ${lost.toFixed(1)} points of recall are lost; ${slippedBar} are needed.`,
              'the repair only turns labels from honest to fraud. Go the other way.',
            ),
          spreadOf(poisoned, invented) < spreadOf(poisoned, honestOf(task)) / 2 &&
            finding(
              'wrong-kind',
              'One kind, and too little of it, or not the one that counts.',
              `You called ${invented.length} honest payments of one kind fraud, of ${budget.needed.value} allowed. ${lost.toFixed(1)} points of recall are lost; ${slippedBar} are needed. Most frauds still score above that kind.`,
              'spend the whole budget, try several kinds, and keep the one after which retrain finds the fewest frauds.',
            ),
          finding(
            'scattered',
            'Many small lies, and nobody believes any of them.',
            `You called ${invented.length} honest payments fraud, and ${lost.toFixed(1)} points of recall are lost; ${slippedBar} are needed. Where one payment in fifty is called fraud, a model goes on calling that kind honest.`,
            'spend the budget in one place: honest payments that are like each other, until the model believes that their kind is fraud.',
          ),
        ]),
  })
}

const honestOf = ({ labels }: Task) =>
  [...labels.keys()].filter((place) => labels[place] === honest).map((place) => ({ place }))

/** How much rows differ from each other: the variance of their numbers, added up. */
function spreadOf({ x, ids }: LabelledRows, rows: readonly { place: number }[]): number {
  const size = x.length / ids.length
  let sum = 0
  for (let k = 0; k < size; k++) {
    const values = rows.map(({ place }) => x[place * size + k]!)
    const mean = values.reduce((total, value) => total + value, 0) / values.length
    sum += values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length
  }
  return sum
}

/** The bank's repair: audited rows get their true label, and a judge who learned from them turns honest into fraud. */
async function bankRepairs(variant: Variant, task: Task, poisoned: LabelledRows, trusted: Trusted) {
  const audited = auditOf(task, variant.secondAudit)
  const { scores } = await baseline({ ...task, audited }, 'audited', trusted)
  const looked = new Set(audited)
  const ids: number[] = []
  const labels: number[] = []
  for (const [place, id] of poisoned.ids.entries()) {
    const label = poisoned.labels[place]!
    const right = looked.has(id)
      ? task.labels[place]!
      : label === honest && scores[place]! > judgeCut
        ? fraud
        : label
    if (right === label) continue
    ids.push(id)
    labels.push(right)
  }
  return { rows: withChanges(poisoned, { ids, labels }), righted: new Set(ids) }
}
