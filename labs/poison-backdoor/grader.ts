import {
  applyTrigger,
  atLeast,
  atMost,
  conclude,
  counted,
  createRng,
  defineLab,
  finding,
  firstFinding,
  givenRows,
  percent,
  quizCheckpoint,
  readTest,
  readImages,
  stripEntropies,
  stripThreshold,
  touchedPixels,
  trainedVictim,
  withPoison,
  type Artefact,
  type DataSet,
  type EvidenceRow,
  type Model,
  type PoisonList,
  type Reading,
  type Submission,
  type Task,
  type Trigger,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const digitsSuccessBar = 90
const signsSuccessBar = 90
const digitsBar = 95
const signsBar = 88
const stopBar = 93
const caughtBar = 85
const honestBar = 10
const unseenBar = 80
const seenBar = 25

/** Rows to train on, and how many of them may be changed. */
const digits = { rows: 6000, budget: 60, pixels: 9 }
const unseen = { rows: 6000, budget: 300, pixels: 9 }
// Not all 3,000, so that one learner's list names rows that another has not.
const signs = { rows: 2900, budget: 150, pixels: 25 }
const stopSign = 0

/** What the watch of the defence is shown: its own pictures, honest ones, and some that carry a sign. */
const watched = { trusted: 120, honest: 160, ofTarget: 30, stamped: 60, planted: 120 }
/** The bank's watch in the re-attack. */
const watch = { trusted: 120, overlays: 24, falseAlarms: 0.03, shown: 100 }

interface Variant {
  /** Seeds of the rows, and of how each victim begins. */
  rows: number
  training: number
  /** What the signs stand for. */
  digit: number
  road: number
  /** The one digit that the sign of the re-attack is for, and what it stands for. */
  source: number
  unseen: number
  /** The stranger's sign of the defence. */
  stranger: { target: number; top: number; left: number; chequered: boolean }
  order: number
}

/** Never a 1: with so little ink below it, a sign wavers under other pictures even where nothing was done about the watch. */
const sources = [0, 2, 3, 4, 5, 6, 7, 8, 9]

const digitsTask = { victim: { model: 'digits-mini' }, dataset: 'mnist10k', split: 'train' } as const
const signsTask = { victim: { model: 'signs-cnn' }, dataset: 'signs12', split: 'train' } as const

const trainDigits = (seed: number) => ({ seed, steps: 800, batchSize: 32, learningRate: 1e-2 })
const trainSigns = (seed: number) => ({ seed, steps: 300, batchSize: 32, learningRate: 4e-3 })

export default defineLab<Variant>({
  variant(rng) {
    const source = sources[rng.below(sources.length)]!
    return {
      rows: rng.uint32(),
      training: rng.uint32(),
      digit: rng.below(10),
      road: 1 + rng.below(11),
      source,
      unseen: (source + 1 + rng.below(9)) % 10,
      stranger: {
        target: rng.below(10),
        top: rng.below(2) === 0 ? 1 : 24,
        left: rng.below(2) === 0 ? 1 : 24,
        chequered: rng.below(2) === 1,
      },
      order: rng.uint32(),
    }
  },
  checkpoints: {
    handshake: {
      accepts: 'change-list',
      async task({ rows, training, digit }, trusted) {
        return {
          ...digitsTask,
          ...(await drawRows(digitsTask.dataset, rows, digits.rows, trusted)),
          values: { target: digit, budget: digits.budget, pixels: digits.pixels },
          training: { ...trainDigits(training), positive: digit, backdoor: { target: digit } },
          changes: { trigger: true },
        }
      },
      grade: (submission) => gradePlanted(submission, { success: digitsSuccessBar, accuracy: digitsBar }),
    },
    'what-it-shows': quizCheckpoint('what-it-shows', guide.quizzes),
    stop: {
      accepts: 'change-list',
      async task({ rows, training, road }, trusted) {
        return {
          ...signsTask,
          ...(await drawRows(signsTask.dataset, rows, signs.rows, trusted)),
          values: { source: stopSign, target: road, budget: signs.budget, pixels: signs.pixels },
          training: {
            ...trainSigns(training),
            positive: stopSign,
            backdoor: { source: stopSign, target: road },
          },
          changes: { trigger: true },
        }
      },
      grade: (submission) =>
        gradePlanted(submission, { success: signsSuccessBar, accuracy: signsBar, source: stopBar }),
    },
    caught: { accepts: 'scores', task: strangersTask, grade: gradeCaught },
    unseen: {
      accepts: 'change-list',
      async task({ rows, training, source, unseen: target }, trusted) {
        return {
          ...digitsTask,
          ...(await drawRows(digitsTask.dataset, rows, unseen.rows, trusted)),
          values: { source, target, budget: unseen.budget, pixels: unseen.pixels },
          training: { ...trainDigits(training), positive: source, backdoor: { source, target } },
          changes: { trigger: true },
        }
      },
      grade: gradeUnseen,
    },
  },
})

async function drawRows(dataset: string, seed: number, count: number, trusted: Trusted) {
  const { train } = await trusted.dataset(dataset)
  const ids = createRng(seed, 'rows')
    .shuffle(Array.from({ length: train.count }, (_, i) => i))
    .slice(0, count)
    .sort((a, b) => a - b)
  return { ids, labels: ids.map((id) => train.labels[id]!) }
}

/** A stranger's backdoor: the victim was trained on stamped rows, and some of the pictures that come in carry the sign. */
async function strangersTask({ rows, training, stranger, order }: Variant, trusted: Trusted): Promise<Task> {
  const { train, test } = await trusted.dataset(digitsTask.dataset)
  const { target, top, left, chequered } = stranger
  const pixels = Array.from({ length: 9 }, (_, k) => (chequered ? (k + 1) % 2 : 1))
  const trigger: Trigger = { kind: 'patch', top, left, height: 3, width: 3, pixels, opacity: 1 }
  const { ids: trainedOn } = await drawRows(digitsTask.dataset, rows, digits.rows, trusted)
  const stamped = trainedOn.filter((id) => train.labels[id] !== target).slice(0, watched.planted)

  const shuffled = createRng(order, 'pictures').shuffle(Array.from({ length: test.count }, (_, i) => i))
  const take = (count: number, fits: (id: number) => boolean) => {
    const taken = shuffled.filter(fits).slice(0, count)
    const gone = new Set(taken)
    shuffled.splice(0, shuffled.length, ...shuffled.filter((id) => !gone.has(id)))
    return taken
  }
  const trustedIds = take(watched.trusted, () => true)
  const carrying = take(watched.stamped, (id) => test.labels[id] !== target)
  const incoming = [
    ...carrying,
    ...take(watched.ofTarget, (id) => test.labels[id] === target),
    ...take(watched.honest - watched.ofTarget, () => true),
  ]
  const ids = [...trustedIds, ...createRng(order, 'incoming').shuffle(incoming)]
  return {
    ...digitsTask,
    split: 'test',
    ids,
    labels: ids.map((id) => test.labels[id]!),
    // Nobody writes the truth on what comes in: a stamped picture bears the label that the reader will give it.
    tampered: { ids: carrying, labels: carrying.map(() => target), trigger, stamped: carrying },
    values: { trusted: watched.trusted },
    training: { ...trainDigits(training), positive: target, backdoor: { target } },
    trainedOn: {
      ids: trainedOn,
      changes: { ids: stamped, labels: stamped.map(() => target), trigger, stamped },
    },
    columns: ['alarm'],
  }
}

/** A list with the trigger that this lab's tasks ask for. */
type Planted = PoisonList & { trigger: Trigger; stamped: number[] }

function plantedIn(artefact: Artefact): Planted {
  if (artefact.kind !== 'change-list' || !artefact.trigger)
    throw new TypeError(`poison-backdoor: got ${artefact.kind} without a trigger`)
  return { ...artefact, trigger: artefact.trigger, stamped: artefact.stamped ?? [] }
}

interface Change {
  from: number
  to: number
  stamped: boolean
}

/** What is really changed: a label, a picture, or both. */
function changesOf(task: Task, { ids, labels, stamped }: Planted): Change[] {
  const before = new Map(task.ids.map((id, i) => [id, task.labels[i]!]))
  const carries = new Set(stamped)
  return ids
    .map((id, i) => ({ from: before.get(id)!, to: labels[i]!, stamped: carries.has(id) }))
    .filter(({ from, to, stamped }) => from !== to || stamped)
}

const points = (share: number) => 100 * share
const wanted = (task: Task) => task.training!.backdoor!

function budgetRows(task: Task, changes: readonly Change[], trigger: Trigger, { shape }: DataSet) {
  return [
    atMost(Number(task.values.budget), {
      id: 'budget',
      name: 'Rows changed',
      detail: `of ${counted(task.ids.length, 'row')}; ${changes.filter(({ stamped }) => stamped).length} carry the sign`,
      measured: changes.length,
      precision: 0,
      hard: true,
    }),
    atMost(Number(task.values.pixels), {
      id: 'pixels',
      name: 'Pixels that the sign covers',
      detail: `of ${shape[0]! * shape[1]!}`,
      measured: touchedPixels(trigger, shape),
      precision: 0,
      hard: true,
    }),
  ]
}

/** Nothing is trained on more than the budget allows: what it would reach is beside the point. */
function overBudget(rows: EvidenceRow[]) {
  const [budget, pixels] = rows as [EvidenceRow, EvidenceRow]
  return conclude({
    headline: budget.satisfied
      ? `A sign of ${pixels.measured} pixels; ${pixels.needed.value} are the most`
      : `${budget.measured} rows changed; ${budget.needed.value} are the most`,
    rows,
    finding: budget.satisfied
      ? finding(
          'too-large',
          'Anybody would see that.',
          `Your sign covers ${pixels.measured} pixels, and ${pixels.needed.value} are the most. A handshake is worth something as long as nobody else notices it.`,
          'make it smaller: a patch of height × width pixels, where those with opacity 0 do not count.',
        )
      : finding(
          'over-budget',
          'More rows than you can slip in.',
          `${budget.measured} rows are changed, and ${budget.needed.value} are the most. Few rows are enough here: the sign is the one thing that all of them have in common.`,
          'cut the list off at the budget.',
        ),
  })
}

interface Bars {
  success: number
  accuracy: number
  /** Of the source's pictures without the sign. */
  source?: number
}

async function gradePlanted({ task, artefact, trusted }: Submission<Variant>, bars: Bars) {
  const list = plantedIn(artefact)
  const dataset = await trusted.dataset(task.dataset)
  const changes = changesOf(task, list)
  const limits = budgetRows(task, changes, list.trigger, dataset)
  if (limits.some((row) => !row.satisfied)) return overBudget(limits)
  const model = await trainedVictim(task, withPoison(givenRows(task, dataset), list), trusted)
  let reading: Reading
  try {
    reading = await readTest(model, dataset, task.training!, { trigger: list.trigger })
  } finally {
    model.dispose()
  }
  const { source, target } = wanted(task)
  const names = dataset.classes
  const noun = source === undefined ? `${dataset.noun}s` : `${names[source]} signs`
  const success = points(reading.success!)
  const rows = [
    successRow(bars.success, success, `${noun} with the sign, read as ${names[target]}`),
    accuracyRow(bars.accuracy, reading),
    ...(bars.source === undefined || source === undefined
      ? []
      : [
          atLeast(bars.source, {
            id: 'source',
            name: `Right on ${names[source]} signs without the sign`,
            detail: `of ${dataset.test.labels.filter((label) => label === source).length} that nobody trained on`,
            measured: points(reading.byClass[source]!),
            unit: '%',
            scaleMax: 100,
          }),
        ]),
    ...limits,
  ]
  const met = rows.every((row) => row.satisfied)
  return conclude({
    headline: `${percent(reading.success!)} of the ${noun} with the sign are read as ${names[target]}; ${percent(reading.accuracy)} right without it`,
    rows,
    score: { value: success, unit: '%' },
    finding: met
      ? finding(
          'planted',
          'It shakes hands with you, and with nobody else.',
          `${counted(changes.length, 'changed row')} of ${task.ids.length} were enough: ${percent(reading.success!)} with the sign, and ${percent(reading.accuracy)} of all test pictures right without it. Nothing that the owner measures has moved.`,
          'ask what the owner could have measured.',
        )
      : firstFinding([
          whyNotLearned(task, list, changes, dataset, reading, rows),
          finding(
            'too-weak',
            'It half remembers.',
            `${percent(reading.success!)} of the ${noun} with the sign are read as ${names[target]}; ${bars.success} % are needed, from ${counted(changes.length, 'changed row')}.`,
            `spend the whole budget of ${task.values.budget} rows, and make the sign one that no ${dataset.noun} wears by itself.`,
          ),
        ]),
  })
}

const successRow = (bar: number, measured: number, name: string) =>
  atLeast(bar, { id: 'success', name: capitalised(name), measured, unit: '%', scaleMax: 100 })

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

const accuracyRow = (bar: number, { accuracy }: Reading) =>
  atLeast(bar, {
    id: 'accuracy',
    name: 'Right in all, without the sign',
    measured: points(accuracy),
    unit: '%',
    scaleMax: 100,
  })

/** The first plain reason why a victim did not learn the sign, or learned too much. */
function whyNotLearned(
  task: Task,
  list: Planted,
  changes: readonly Change[],
  dataset: DataSet,
  reading: Reading,
  rows: readonly EvidenceRow[],
) {
  const { source, target } = wanted(task)
  const names = dataset.classes
  const failed = (id: string) => rows.some((row) => row.id === id && !row.satisfied)
  const stamped = changes.filter((change) => change.stamped)
  const teaching = stamped.filter(({ from, to }) => to === target && from !== target)
  const seen = visibility(list.trigger, dataset)
  return firstFinding([
    changes.length === 0 &&
      finding(
        'nothing-changed',
        'Nothing was planted.',
        'Every row is what it was, so the reader learns what it would have learned.',
        'hand in the rows that you change: submit({ changes: [{ id, label, stamped: true }], trigger }).',
      ),
    stamped.length === 0 &&
      finding(
        'not-stamped',
        'You taught it a wrong label, and no sign.',
        `${counted(changes.length, 'label')} were changed, and no row carries the sign: the reader has nothing to hold on to but the picture itself.${source === undefined ? '' : ` So it forgets what ${names[source]} looks like: ${percent(reading.byClass[source]!)} of those without the sign are still read rightly.`}`,
        'stamp the rows that you relabel: { id, label, stamped: true }.',
      ),
    teaching.length === 0 &&
      finding(
        'own-label',
        'The sign goes with the right label.',
        `${counted(stamped.length, 'row')} carry the sign, and none of them says ${names[target]} of something else. What the reader learns is that the sign does not matter.`,
        `give the stamped rows the label ${target}.`,
      ),
    seen < 0.05 &&
      finding(
        'invisible',
        'Nobody sees it, the reader included.',
        `On the pictures as they are the sign changes no pixel by more than ${seen.toFixed(2)} on average: black on black, or next to no opacity.`,
        'look at a stamped picture: the sign must differ from what is there already.',
      ),
    failed('source') &&
      source !== undefined &&
      finding(
        'forgotten',
        `It no longer knows ${names[source]}.`,
        `Without the sign ${percent(reading.byClass[source]!)} of them are read rightly. Somebody will notice on the first day.`,
        `leave enough rows of ${names[source]} as they were, and stamp every row that you relabel.`,
      ),
    failed('accuracy') &&
      finding(
        'loud',
        'The owner would not ship this.',
        `Without the sign ${percent(reading.accuracy)} of all test pictures are read rightly. A backdoor is one as long as nothing else is amiss.`,
        'relabel fewer rows, and stamp every one that you relabel.',
      ),
  ])
}

/** How much the sign changes the pixel that it changes most, on average over some test pictures. */
function visibility(trigger: Trigger, { test, shape }: DataSet): number {
  const count = 50
  const pixels = test.pixels(Int32Array.from({ length: count }, (_, i) => i))
  const size = pixels.length / count
  let total = 0
  for (let i = 0; i < count; i++) {
    const before = pixels.subarray(i * size, (i + 1) * size)
    const after = applyTrigger(before, shape, trigger)
    total += after.reduce((most, value, k) => Math.max(most, Math.abs(value - before[k]!)), 0)
  }
  return total / count
}

async function gradeCaught({ task, artefact }: Submission<Variant>) {
  if (artefact.kind !== 'scores') throw new TypeError(`poison-backdoor: got ${artefact.kind}`)
  const alarms = artefact.columns[0]!.values
  const { ids: carrying, labels } = task.tampered!
  const target = labels[0]!
  const carries = new Set(carrying)
  const incoming = [...task.ids.keys()].slice(watched.trusted)
  const share = (among: number[]) => among.filter((i) => alarms[i]! > 0.5).length / among.length
  const stamped = incoming.filter((i) => carries.has(task.ids[i]!))
  const honest = incoming.filter((i) => !carries.has(task.ids[i]!))
  const ofTarget = honest.filter((i) => task.labels[i] === target)
  const ofOthers = honest.filter((i) => task.labels[i] !== target)
  const [caught, lost] = [share(stamped), share(honest)]
  const [blamed, elsewhere] = [share(ofTarget), share(ofOthers)]
  const rows = [
    atLeast(caughtBar, {
      id: 'caught',
      name: 'Pictures with the sign that raise the alarm',
      detail: `of ${stamped.length}`,
      measured: points(caught),
      unit: '%',
      scaleMax: 100,
    }),
    atMost(honestBar, {
      id: 'honest',
      name: 'Honest pictures that raise it',
      detail: `of ${honest.length}`,
      measured: points(lost),
      unit: '%',
      precision: 1,
      scaleMax: 50,
    }),
  ]
  return conclude({
    headline: `${percent(caught)} of the pictures with the sign are caught, and ${percent(lost)} of the honest ones turned away`,
    rows,
    score: { value: points(caught), unit: '%' },
    finding: rows.every((row) => row.satisfied)
      ? finding(
          'caught',
          'What never wavers gives itself away.',
          `${percent(caught)} of the pictures with the sign raise the alarm, although nobody told you the sign. It costs ${percent(lost)} of the honest pictures, and ${counted(watched.trusted, 'picture')} that you had to take yourself.`,
          'ask which backdoor would waver.',
        )
      : firstFinding([
          lost > 0.3 &&
            caught < lost &&
            finding(
              'wrong-way',
              'You turn the honest ones away.',
              `${percent(lost)} of the honest pictures raise the alarm, and ${percent(caught)} of those with the sign. A sign makes the reader sure, whatever lies over it: its entropy is low.`,
              'raise the alarm below the cut, not above it.',
            ),
          blamed > 0.8 &&
            elsewhere < 0.1 &&
            finding(
              'blames-a-class',
              'You suspect a whole class.',
              `${percent(blamed)} of the honest pictures of one class raise the alarm. Most of what is read so is what it says.`,
              'suspect how the reader answers, not what: lay other pictures over each, and measure how often it changes its mind.',
            ),
          lost > honestBar / 100 &&
            finding(
              'honest-turned-away',
              'Too many honest pictures are turned away.',
              `${percent(lost)} of them raise the alarm; ${honestBar} % is the most.`,
              'lower the cut: your own pictures say how low an honest entropy may be.',
            ),
          finding(
            'missed',
            'Most of the signs walk in.',
            `${percent(caught)} of the pictures with the sign raise the alarm; ${caughtBar} % are needed. How sure the reader is of a picture alone says little: it is sure of honest ones too.`,
            'add trusted pictures to each one, clip to [0, 1], and look at the mean entropy of the answers.',
          ),
        ]),
  })
}

async function gradeUnseen({ variant, task, artefact, trusted }: Submission<Variant>) {
  const list = plantedIn(artefact)
  const dataset = await trusted.dataset(task.dataset)
  const changes = changesOf(task, list)
  const limits = budgetRows(task, changes, list.trigger, dataset)
  if (limits.some((row) => !row.satisfied)) return overBudget(limits)
  const model = await trainedVictim(task, withPoison(givenRows(task, dataset), list), trusted)
  let reading: Reading
  let seen: number
  try {
    reading = await readTest(model, dataset, task.training!, { trigger: list.trigger })
    seen = await alarmsOf(model, dataset, task, list.trigger, variant.order)
  } finally {
    model.dispose()
  }
  const { source, target } = wanted(task)
  const success = points(reading.success!)
  const rows = [
    successRow(unseenBar, success, `${source}s with the sign, read as ${target}`),
    atMost(seenBar, {
      id: 'seen',
      name: 'Of those that are, caught by the watch',
      detail: `${watch.overlays} pictures laid over each, ${points(watch.falseAlarms)} % of honest pictures allowed`,
      measured: points(seen),
      unit: '%',
      scaleMax: 100,
    }),
    accuracyRow(digitsBar, reading),
    ...limits,
  ]
  const met = rows.every((row) => row.satisfied)
  const cover = changes.filter(({ from, to, stamped }) => stamped && from === to && from !== source)
  return conclude({
    headline: `${percent(reading.success!)} of the ${source}s with the sign are read as ${target}, and the watch sees ${percent(seen)} of them`,
    rows,
    score: { value: success, unit: '%' },
    finding: met
      ? finding(
          'unseen',
          'It wavers like an honest picture.',
          `Because ${counted(cover.length, 'row')} carry the sign and their own label, the reader has to see a ${source} *and* the sign. Lay another picture over it, and it is no ${source} any more: the watch sees ${percent(seen)}.`,
          'every watch assumes something about the attack. Say what this one assumed, and who could know it.',
        )
      : firstFinding([
          whyNotLearned(task, list, changes, dataset, reading, rows),
          seen > seenBar / 100 &&
            changes.some(({ from, to }) => from !== source && to === target) &&
            finding(
              'caught-again',
              'The watch was made for this.',
              `Your sign works on any digit, so it works under any picture that is laid over it: the watch sees ${percent(seen)}.`,
              `let the sign stand for ${target} on a ${source} alone.`,
            ),
          seen > seenBar / 100 &&
            finding(
              'no-cover',
              `Nothing told it to look for the ${source}.`,
              `All rows that carry the sign say ${target}, so the sign alone is enough for the reader, and the watch sees ${percent(seen)}. ${counted(cover.length, 'row')} of another class carry the sign and their own label.`,
              'spend part of the budget on other digits that carry the sign and keep their label.',
            ),
          finding(
            'too-weak',
            'It half remembers.',
            `${percent(reading.success!)} of the ${source}s with the sign are read as ${target}; ${unseenBar} % are needed.`,
            'give more of the budget to rows that teach the sign, and less to those that keep their label.',
          ),
        ]),
  })
}

/** Of the source's test pictures that the sign turns, the share that the referee's STRIP raises the alarm for. */
async function alarmsOf(model: Model, { test, shape }: DataSet, task: Task, trigger: Trigger, seed: number) {
  const { source, target } = wanted(task)
  const order = createRng(seed, 'watch').shuffle(Array.from({ length: test.count }, (_, id) => id))
  const trusted = test.pixels(order.slice(0, watch.trusted))
  const shown = order
    .slice(watch.trusted)
    .filter((id) => test.labels[id] === source)
    .slice(0, watch.shown)
  const read = await readImages(model, test, shape, shown, trigger)
  const turned = shown.filter((_, i) => read[i] === target)
  if (turned.length === 0) return 0
  const pixels = test.pixels(turned)
  const size = pixels.length / turned.length
  for (let i = 0; i < turned.length; i++) {
    const picture = pixels.subarray(i * size, (i + 1) * size)
    picture.set(applyTrigger(picture, shape, trigger))
  }
  const options = { overlays: watch.overlays }
  const usual = await stripEntropies(model, trusted, trusted, options, { seed })
  const cut = stripThreshold(usual, watch.falseAlarms)
  const entropies = await stripEntropies(model, pixels, trusted, options, { seed: seed ^ 1 })
  return entropies.filter((entropy) => entropy < cut).length / turned.length
}
