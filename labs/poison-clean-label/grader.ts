import {
  atLeast,
  atMost,
  conclude,
  counted,
  createRng,
  deepKnnSuspicion,
  defineLab,
  dropped,
  featureCollision,
  featureModel,
  featuresOf,
  finding,
  firstFinding,
  givenRows,
  logitsOf,
  quizCheckpoint,
  trainedVictim,
  withChanges,
  withoutRows,
  type Artefact,
  type ChangeList,
  type EvidenceRow,
  type Finding,
  type LabelledRows,
  type Model,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const readBar = 60
const slippedBar = 60
const movedBar = 3
const siftedMovedBar = 5
const caughtBar = 80
/** Of the distance in the features, what most collisions leave less of, and what no noise makes of it. */
const nearerThan = 0.55
const awayFrom = 1.19
const lostBar = 15
/** What a hard row forgives 32-bit numbers. */
const slack = 1e-6

/** Pictures of other people, of each class. */
const perClass = 50
/** The attacker's pictures, how far they may move, and which targets qualify. */
interface Terms {
  uploads: number
  epsilon: number
  /** The part of all margins in which its own lies. */
  margins: readonly [from: number, to: number]
  /** Whether the pictures nearest to it in the features, as many as the filter asks, must all show its class. */
  amongItsOwn?: boolean
}
/** A target that the clean model reads rightly, and by less than most: a small change is enough. */
const near: Terms = { uploads: 12, epsilon: 0.1, margins: [0.1, 0.35] }
/** One in the middle of its class: only pictures that arrive there turn it. */
const far: Terms = { ...near, epsilon: 0.3, margins: [0.5, 0.9], amongItsOwn: true }
/** The one before the learner: half as many pictures, all the way. */
const planted: Terms = { ...far, uploads: 6 }
/** What the target of the first checkpoint must stand: the referee's own collision, and a walk in the pixels. */
const nearSteps = { share: 1, epsilon: near.epsilon, steps: 40, stepSize: 1.1, pull: 0 }
const collidedLeast = 0.8
const walkedMost = 0.35
/** Targets that are tried for it. */
const mostTried = 8
const plantedSteps = { share: 1, epsilon: planted.epsilon, steps: 60, stepSize: 3, pull: 0 }
/** Of the map maker's filter: more than twice as many as were planted. */
const neighbours = 15

interface Variant {
  /** Seeds of other people's pictures, of the targets among those that qualify, and of the victim's training. */
  rows: number
  pick: number
  planting: number
  training: number
}

const base = { victim: { model: 'signs-cnn' }, dataset: 'signs12', split: 'train' } as const

export default defineLab<Variant>({
  variant: (rng) => ({
    rows: rng.uint32(),
    pick: rng.uint32(),
    planting: rng.uint32(),
    training: rng.uint32(),
  }),
  checkpoints: {
    collided: {
      accepts: 'change-list',
      task: (variant, trusted) => siteTask(variant, near, trusted),
      grade: gradeCollided,
    },
    'what-a-label-says': quizCheckpoint('what-a-label-says', guide.quizzes),
    sifted: { accepts: 'change-list', task: plantedTask, grade: gradeSifted },
    slipped: {
      accepts: 'change-list',
      task: (variant, trusted) => siteTask(variant, far, trusted),
      grade: gradeSlipped,
    },
  },
})

/** Pictures that people sent in, the learner's own first, and the model whose last layer is fitted to them. */
async function siteTask(variant: Variant, terms: Terms, trusted: Trusted): Promise<Task> {
  const { train, test } = await trusted.dataset(base.dataset)
  const order = createRng(variant.rows, 'rows').shuffle(Array.from({ length: train.count }, (_, id) => id))
  const ofClass = (label: number) => order.filter((id) => train.labels[id] === label)
  const { numClasses } = await trusted.model(base.victim.model)
  const others = Array.from({ length: numClasses }, (_, label) => ofClass(label).slice(0, perClass))
    .flat()
    .sort((a, b) => a - b)
  const training = {
    seed: variant.training,
    layers: 'last' as const,
    steps: 150,
    batchSize: 64,
    learningRate: 0.02,
    positive: 0,
    falseAlarms: 1,
  }
  const clean: Task = {
    ...base,
    ids: others,
    labels: others.map((id) => train.labels[id]!),
    values: {},
    training,
  }
  const asked = (aim: Aim): Task => {
    const ids = [...ofClass(aim.base).slice(perClass, perClass + terms.uploads), ...others]
    return {
      ...clean,
      ids,
      labels: ids.map((id) => train.labels[id]!),
      values: {
        epsilon: terms.epsilon,
        uploads: terms.uploads,
        target: aim.base,
        truth: test.labels[aim.id]!,
      },
      changes: { values: true },
      training: { ...training, positive: aim.base },
      aim: { split: 'test', id: aim.id },
    }
  }
  const drawn = await targets(clean, terms, variant.pick, trusted)
  if (terms.amongItsOwn) {
    const same = await sameAround(clean, trusted)
    return asked(drawn.find(({ id }) => same(id) === neighbours) ?? drawn[0]!)
  }
  for (const aim of drawn.slice(0, mostTried)) {
    const task = asked(aim)
    if (await worthwhile(task, variant.planting, trusted)) return task
  }
  return asked(drawn[0]!)
}

/** A test picture, and what it is to be read as. */
interface Aim {
  id: number
  base: number
}

/**
 * What may be a variant's target: the test pictures that a model of other people's pictures alone reads rightly, and
 * whose margin (the score of its class above the second best) lies in a part of all margins, in the order of a draw.
 * Each is to be read as its second best. The first that qualifies is taken: deep in its class, one with pictures of its
 * own class around it; near a border, one that is `worthwhile`.
 */
async function targets(
  clean: Task,
  { margins: [from, to] }: Terms,
  seed: number,
  trusted: Trusted,
): Promise<Aim[]> {
  const { test } = await trusted.dataset(clean.dataset)
  const right = (await trusted.once('scores without uploads', () => scoresAfter(clean, trusted)))
    .map((row, id) => {
      const label = test.labels[id]!
      const base = secondOf(row, label)
      return { id, base, margin: row[label]! - row[base]! }
    })
    .filter(({ margin }) => margin > 0)
    .sort((a, b) => a.margin - b.margin)
  const part = right.slice(Math.floor(from * right.length), Math.floor(to * right.length))
  return createRng(seed, 'target').shuffle(part)
}

/** Whether a collision turns the target, and a walk towards it in the pixels does not. */
async function worthwhile(task: Task, seed: number, trusted: Trusted): Promise<boolean> {
  const dataset = await trusted.dataset(task.dataset)
  const rows = givenRows(task, dataset)
  const uploads = withoutRows(rows, task.ids.slice(uploadIds(task).length))
  const target = dataset.test.pixels([task.aim!.id])
  const walked = uploads.x.map((value, i) => {
    const apart = target[i % target.length]! - value
    return value + Math.max(-near.epsilon, Math.min(near.epsilon, apart))
  })
  const chance = async (x: Float32Array) => {
    const ids = uploadIds(task)
    const changes = { ids, labels: task.labels.slice(0, ids.length), values: x }
    return (await readVictim(task, withChanges(rows, changes), trusted)).chance
  }
  if ((await chance(walked)) > walkedMost) return false
  const features = await featureModel(await trusted.model(task.victim.model))
  try {
    const asked = { features, target, baseClass: wanted(task) }
    return (
      (await chance((await featureCollision(uploads, asked, nearSteps, { seed })).data.x)) >= collidedLeast
    )
  } finally {
    features.dispose()
  }
}

/** Of other people's pictures nearest to a test picture in the features, as many as the filter asks: how many show its class. */
async function sameAround(clean: Task, trusted: Trusted): Promise<(id: number) => number> {
  const { test } = await trusted.dataset(clean.dataset)
  const goals = await testFeatures(trusted)
  const others = await trusted.once('features of other people’s pictures', async () =>
    featuresOf(
      await trusted.model(clean.victim.model),
      givenRows(clean, await trusted.dataset(clean.dataset)),
    ),
  )
  const { size } = others
  return (id) => {
    const away = Array.from(others.labels, (label, row) => {
      let square = 0
      for (let k = 0; k < size; k++) square += (others.x[row * size + k]! - goals.x[id * size + k]!) ** 2
      return { label, square }
    })
    const nearest = away.sort((a, b) => a.square - b.square).slice(0, neighbours)
    return nearest.filter(({ label }) => label === test.labels[id]).length
  }
}

/** The scores that a victim of these rows, the task's own when left out, gives each test picture. */
async function scoresAfter(task: Task, trusted: Trusted, rows?: LabelledRows): Promise<Float64Array[]> {
  const given = rows ?? givenRows(task, await trusted.dataset(task.dataset))
  const model = await trainedVictim(task, given, trusted)
  try {
    return await testScores(model, trusted)
  } finally {
    model.dispose()
  }
}

/**
 * The scores that a victim gives each test picture. All layers but its last are those that are shipped, so what these
 * make of the pictures is computed once.
 */
async function testScores(victim: Model, trusted: Trusted): Promise<Float64Array[]> {
  const { x, size } = await testFeatures(trusted)
  const [kernel, bias] = (await victim.weights()).slice(-2).map(({ values }) => values)
  return everyId(x.length / size).map((id) => {
    const scores = Float64Array.from(bias!)
    for (let k = 0; k < size; k++) {
      const feature = x[id * size + k]!
      if (feature === 0) continue
      for (let label = 0; label < scores.length; label++)
        scores[label]! += feature * kernel![k * scores.length + label]!
    }
    return scores
  })
}

const testFeatures = (trusted: Trusted) =>
  trusted.once('features of the test pictures', async () => {
    const { test, shape, classes } = await trusted.dataset(base.dataset)
    const ids = Int32Array.from(everyId(test.count))
    const labels = Int32Array.from(test.labels)
    const rows = { ids, x: test.pixels(ids), shape, labels, numClasses: classes.length }
    return featuresOf(await trusted.model(base.victim.model), rows)
  })

const everyId = (count: number) => Array.from({ length: count }, (_, id) => id)

/** The class with the highest score besides this one. */
const secondOf = (scores: ArrayLike<number>, label: number) =>
  Array.from(scores).reduce(
    (best, score, k) => (k !== label && score > scores[best]! ? k : best),
    label === 0 ? 1 : 0,
  )

const uploadIds = (task: Task) => task.ids.slice(0, Number(task.values.uploads))
const wanted = ({ training }: Task) => training!.positive

/** The map maker's pictures after somebody else was there: the uploads, and another target, are that one's. */
async function plantedTask(variant: Variant, trusted: Trusted): Promise<Task> {
  const task = await siteTask({ ...variant, pick: variant.planting }, planted, trusted)
  const { uploads } = planted
  const dataset = await trusted.dataset(task.dataset)
  const features = await featureModel(await trusted.model(task.victim.model))
  try {
    // As many of each class as of any other, and in no order: neither number nor place gives the poison away.
    const ofBase = task.ids.slice(uploads).filter((id) => dataset.train.labels[id] === wanted(task))
    const gone = new Set(ofBase.slice(0, uploads))
    const ids = createRng(variant.planting, 'order').shuffle(task.ids.filter((id) => !gone.has(id)))
    const rows = withoutRows(givenRows(task, dataset), task.ids.slice(uploads))
    const { data } = await featureCollision(
      rows,
      { features, target: dataset.test.pixels([task.aim!.id]), baseClass: wanted(task) },
      plantedSteps,
      { seed: variant.planting },
    )
    return {
      ...task,
      ids,
      labels: ids.map((id) => dataset.train.labels[id]!),
      values: {},
      tampered: { ids: [...data.ids], labels: [...data.labels], values: data.x },
      changes: { drops: true },
    }
  } finally {
    features.dispose()
  }
}

function changesIn(artefact: Artefact): ChangeList {
  if (artefact.kind !== 'change-list') throw new TypeError(`poison-clean-label: got ${artefact.kind}`)
  return artefact
}

/** How a victim of these rows reads the target, and how many test pictures it reads rightly. */
interface Read {
  /** Probability of the class that the target is to be read as. */
  chance: number
  as: number
  accuracy: number
}

async function readVictim(task: Task, rows: LabelledRows, trusted: Trusted): Promise<Read> {
  const { test } = await trusted.dataset(task.dataset)
  const scores = await scoresAfter(task, trusted, rows)
  const top = scores.map((row) => row.indexOf(Math.max(...row)))
  const aim = task.aim!.id
  return {
    chance: chanceOf(scores[aim]!, task.training!.positive),
    as: top[aim]!,
    accuracy: top.filter((label, id) => label === test.labels[id]).length / test.count,
  }
}

function chanceOf(scores: ArrayLike<number>, label: number): number {
  const all = Array.from(scores)
  const top = Math.max(...all)
  return Math.exp(all[label]! - top) / all.reduce((sum, score) => sum + Math.exp(score - top), 0)
}

/** The victim of everybody's pictures as they were sent in, the learner's unchanged among them. */
const cleanRead = (task: Task, trusted: Trusted) =>
  trusted.once(`clean ${task.aim!.id}`, async () =>
    readVictim(task, withoutTampering(task, await trusted.dataset(task.dataset)), trusted),
  )

const withoutTampering = (task: Task, dataset: Parameters<typeof givenRows>[1]) =>
  givenRows({ ...task, tampered: undefined }, dataset)

/** Rows without any of a class train no victim: nothing is gained, and whoever changed so many labels is told why. */
const readOrClean = (task: Task, rows: LabelledRows, clean: Read, trusted: Trusted) =>
  hasEveryClass(rows) ? readVictim(task, rows, trusted) : Promise.resolve(clean)

/** What the hand-in did to whose pictures. */
interface Sent {
  /** The rows with the changes, and as they were. */
  rows: LabelledRows
  given: LabelledRows
  changed: number[]
  foreign: number
  relabelled: number
  largest: number
  outside: number
}

async function sentIn(task: Task, changes: ChangeList, trusted: Trusted): Promise<Sent> {
  const given = givenRows(task, await trusted.dataset(task.dataset))
  const rows = withChanges(given, changes)
  const mine = new Set(uploadIds(task))
  const size = given.x.length / given.ids.length
  const sent: Sent = { rows, given, changed: [], foreign: 0, relabelled: 0, largest: 0, outside: 0 }
  for (const [place, id] of given.ids.entries()) {
    let largest = 0
    for (let at = place * size; at < (place + 1) * size; at++) {
      largest = Math.max(largest, Math.abs(rows.x[at]! - given.x[at]!))
      sent.outside = Math.max(sent.outside, -rows.x[at]!, rows.x[at]! - 1)
    }
    const relabelled = rows.labels[place] !== given.labels[place]
    if (largest > 0 || relabelled) sent.changed.push(id)
    if ((largest > 0 || relabelled) && !mine.has(id)) sent.foreign++
    if (relabelled) sent.relabelled++
    sent.largest = Math.max(sent.largest, largest)
  }
  return sent
}

/** The rows that say what was allowed: all hard. */
const allowed = (sent: Sent, limit: number): EvidenceRow[] => [
  atMost(limit, {
    id: 'change',
    name: 'Largest change',
    detail: `of any value of the ${counted(sent.changed.length, 'changed picture')}`,
    measured: sent.largest,
    precision: 3,
    scaleMax: 1,
    hard: true,
  }),
  atMost(0, {
    id: 'range',
    name: 'Outside [0, 1]',
    detail: 'farthest of any value',
    measured: Math.max(0, sent.outside),
    precision: 3,
    scaleMax: 1,
    hard: true,
  }),
  atMost(0, {
    id: 'labels',
    name: 'Labels changed',
    detail: 'two people look at each',
    measured: sent.relabelled,
    precision: 0,
    hard: true,
  }),
  atMost(0, {
    id: 'foreign',
    name: 'Other people’s pictures changed',
    detail: 'only your own are yours to change',
    measured: sent.foreign,
    precision: 0,
    hard: true,
  }),
]

/** What was not allowed, told before anything else. */
function forbidden(sent: Sent, limit: number): false | Finding {
  if (sent.relabelled > 0 || sent.foreign > 0)
    return finding(
      'not-yours',
      'You changed what you cannot change.',
      `${counted(sent.relabelled, 'picture')} came with another label than it shows, and ${counted(sent.foreign, 'picture')} of other people came back changed.`,
      'change the pictures of the first task.uploads rows, and leave every label as it is.',
    )
  if (sent.largest > limit + slack)
    return finding(
      'too-visible',
      'The change is too large.',
      `A value moved by ${sent.largest.toFixed(3)}, and ${limit} is the most.`,
      'after each step, put every value back between base − ε and base + ε.',
    )
  return (
    sent.outside > slack &&
    finding(
      'off-the-page',
      'That is no picture.',
      `A value lies ${sent.outside.toFixed(3)} outside of [0, 1].`,
      'clip to [0, 1] after each step.',
    )
  )
}

/** Mean distance of the changed pictures to the target in the features, as a share of what it was. */
async function distanceLeft(task: Task, sent: Sent, trusted: Trusted): Promise<number> {
  const dataset = await trusted.dataset(task.dataset)
  const model = await featureModel(await trusted.model(task.victim.model))
  try {
    const goal = await logitsOf(model, dataset.test.pixels([task.aim!.id]), [1, ...dataset.shape])
    const changed = new Set(sent.changed)
    const mine = sent.given.ids.filter((id) => changed.has(id))
    const apart = async (rows: LabelledRows) => {
      const gone = rows.ids.filter((id) => !changed.has(id))
      const seen = await logitsOf(model, withoutRows(rows, gone).x, [mine.length, ...dataset.shape])
      let sum = 0
      for (let i = 0; i < mine.length; i++) {
        let square = 0
        for (let k = 0; k < goal.length; k++) square += (seen[i * goal.length + k]! - goal[k]!) ** 2
        sum += Math.sqrt(square)
      }
      return sum
    }
    return (await apart(sent.rows)) / (await apart(sent.given))
  } finally {
    model.dispose()
  }
}

const nothingChanged = () =>
  finding(
    'nothing-changed',
    'Your pictures are as you took them.',
    'No value was changed, so the last layer learns what it would have learned.',
    'return the changed pictures, as many as you were given and in their order: without a return, your pictures stay as they are.',
  )

async function gradeCollided({ task, artefact, trusted }: Submission<Variant>) {
  const sent = await sentIn(task, changesIn(artefact), trusted)
  const { classes } = await trusted.dataset(task.dataset)
  const clean = await cleanRead(task, trusted)
  const after = sent.changed.length === 0 ? clean : await readOrClean(task, sent.rows, clean, trusted)
  const left = sent.changed.length === 0 ? 1 : await distanceLeft(task, sent, trusted)
  const name = classes[wanted(task)]!
  const rows = [
    atLeast(readBar, {
      id: 'read',
      name: 'Target read as your class',
      detail: `probability of “${name}”, ${percentOf(clean.chance)} without your changes; it is read as “${classes[after.as]!}”`,
      measured: 100 * after.chance,
      unit: '%',
      precision: 1,
    }),
    movedRow(clean, after),
    ...allowed(sent, near.epsilon),
  ]
  const numbers = `${percentOf(left)} of the distance in the features is left, and the target gets ${percentOf(after.chance)} for “${name}”; ${readBar} % is needed.`
  return conclude({
    headline:
      after.as === wanted(task)
        ? `The target is read as “${name}”, with ${percentOf(after.chance)}`
        : `The target is read as “${classes[after.as]!}”, with ${percentOf(after.chance)} for “${name}”`,
    rows,
    score: { value: 100 * after.chance, unit: '%' },
    finding: rows.every((row) => row.satisfied)
      ? finding(
          'collided',
          'Every label is right, and the lesson is wrong.',
          `${counted(sent.changed.length, 'picture')} of “${name}” lie ${percentOf(left)} as far from the target as before, and took it along. The other signs are read as they were: ${percentOf(after.accuracy)} rightly, ${percentOf(clean.accuracy)} without you.`,
          'ask what the two people should have looked at.',
        )
      : firstFinding([
          forbidden(sent, near.epsilon),
          sent.changed.length === 0 && nothingChanged(),
          left > awayFrom &&
            finding(
              'away',
              'Your pictures went away from the target.',
              `The distance in the features is ${percentOf(left)} of what it was.`,
              'go down the gradient of the distance: subtract it.',
            ),
          sent.changed.length < uploadIds(task).length / 2 &&
            finding(
              'too-few',
              'Too few of them to pull the border over.',
              `You changed ${sent.changed.length} of your ${uploadIds(task).length} pictures. ${numbers}`,
              'make poison of all of them.',
            ),
          left > nearerThan &&
            sent.largest > near.epsilon / 2 &&
            finding(
              'not-nearer',
              'Your pictures moved in the pixels, and not to the target in the features.',
              `${numbers} What changes pixels need not change what the last layer sees.`,
              'follow the gradient of the distance in the features, features.vjp(x, there − wanted), and for long enough.',
            ),
          finding(
            'too-far',
            'They moved, and not far enough.',
            numbers,
            'take more steps, or longer ones at first, and use the whole budget.',
          ),
        ]),
  })
}

const percentOf = (share: number) => `${(100 * share).toFixed(0)} %`

const movedRow = (clean: Read, after: Read, bar = movedBar) =>
  atMost(bar, {
    id: 'moved',
    name: 'Right answers in all, lost',
    detail: `from ${(100 * clean.accuracy).toFixed(1)} to ${(100 * after.accuracy).toFixed(1)} % of the test pictures`,
    measured: Math.max(0, 100 * (clean.accuracy - after.accuracy)),
    unit: 'points',
    precision: 1,
    scaleMax: 10,
  })

async function gradeSifted({ task, artefact, trusted }: Submission<Variant>) {
  const changes = changesIn(artefact)
  const given = givenRows(task, await trusted.dataset(task.dataset))
  const gone = changes.ids.filter((_, i) => changes.labels[i] === dropped)
  const poisons = new Set(task.tampered!.ids)
  const caught = gone.filter((id) => poisons.has(id)).length
  const lost = gone.length - caught
  const honest = given.ids.length - poisons.size
  const before = await trusted.once('planted', () => readVictim(task, given, trusted))
  const kept = withChanges(given, changes)
  const complete = hasEveryClass(kept)
  const after = gone.length === 0 || !complete ? before : await readVictim(task, kept, trusted)
  const rows = [
    atLeast(caughtBar, {
      id: 'caught',
      name: 'Poisons dropped',
      detail: `${caught} of ${poisons.size}`,
      measured: (100 * caught) / poisons.size,
      unit: '%',
    }),
    atMost(lostBar, {
      id: 'honest',
      name: 'Honest pictures lost',
      detail: `${lost} of ${honest}`,
      measured: (100 * lost) / honest,
      unit: '%',
      precision: 1,
    }),
    atMost(50, {
      id: 'read',
      name: 'Target read as the attacker wants',
      detail: `its probability, ${percentOf(before.chance)} before`,
      measured: 100 * after.chance,
      unit: '%',
      precision: 1,
    }),
    movedRow(before, complete ? after : { ...after, accuracy: 0 }, siftedMovedBar),
  ]
  return conclude({
    headline: `${caught} of ${poisons.size} poisons and ${lost} of ${honest} honest pictures dropped`,
    rows,
    score: { value: (100 * caught) / poisons.size, unit: '%' },
    finding: rows.every((row) => row.satisfied)
      ? finding(
          'sifted',
          'The poison is out, and some of the honest went with it.',
          `${caught} of ${poisons.size} poisons are dropped, and the target gets ${percentOf(after.chance)} for the wrong class instead of ${percentOf(before.chance)}. It cost ${lost} honest pictures, ${((100 * lost) / honest).toFixed(1)} % of them: those that lie near a border.`,
          'ask what your filter does not look at.',
        )
      : firstFinding([
          gone.length === 0 &&
            finding(
              'nothing-dropped',
              'Nothing was dropped.',
              `All ${given.ids.length} pictures are trained on, the ${poisons.size} poisons among them.`,
              'return the ids of the pictures to drop.',
            ),
          (!rows[1]!.satisfied || (rows[0]!.satisfied && !rows[3]!.satisfied)) &&
            finding(
              'too-dear',
              'You threw too many honest pictures away.',
              `${lost} honest pictures are dropped, ${((100 * lost) / honest).toFixed(1)} % of them; ${lostBar} % is the most, and ${(100 * after.accuracy).toFixed(1)} % of the test pictures are read rightly.`,
              'ask fewer neighbours, and drop a picture only when another label is commoner than its own.',
            ),
          caught < 0.2 * poisons.size && lost < 0.3 * honest
            ? finding(
                'among-themselves',
                'The poisons vouch for each other.',
                `${caught} of ${poisons.size} poisons are dropped. Whatever you asked, it saw nothing wrong with them: they look like their class, and around each of them lie the others.`,
                'ask in the features, and ask more neighbours than there may be poisons.',
              )
            : finding(
                'not-enough',
                'Some of them stayed.',
                `${caught} of ${poisons.size} poisons are dropped, and ${lost} honest pictures. The target still gets ${percentOf(after.chance)} for the wrong class.`,
                'ask a few more neighbours.',
              ),
        ]),
  })
}

const hasEveryClass = ({ labels, numClasses }: LabelledRows) => new Set(labels).size === numClasses

async function gradeSlipped({ task, artefact, trusted }: Submission<Variant>) {
  const sent = await sentIn(task, changesIn(artefact), trusted)
  const { classes } = await trusted.dataset(task.dataset)
  const clean = await cleanRead(task, trusted)
  const { kept, caught, found, flagged } = await makerSifts(task, sent, trusted)
  const after = await readOrClean(task, kept, clean, trusted)
  const name = classes[wanted(task)]!
  const rows = [
    atLeast(slippedBar, {
      id: 'read',
      name: 'Target read as your class, behind the filter',
      detail: `probability of “${name}”, ${percentOf(clean.chance)} without your changes; the filter dropped ${caught} of your pictures and ${flagged - caught} of other people`,
      measured: 100 * after.chance,
      unit: '%',
      precision: 1,
    }),
    ...allowed(sent, far.epsilon),
  ]
  return conclude({
    headline: `Behind the filter the target gets ${percentOf(after.chance)} for “${name}”`,
    rows,
    score: { value: 100 * after.chance, unit: '%' },
    finding: rows.every((row) => row.satisfied)
      ? finding(
          'slipped',
          'They vouched for each other.',
          `The filter dropped ${caught} of your ${uploadIds(task).length} pictures, and ${flagged - caught} honest ones. Among the ${neighbours} nearest of each of yours, most are yours. The target gets ${percentOf(after.chance)} for “${name}”.`,
          'a filter that counts heads can be outnumbered, and whoever knows its number knows how many to bring.',
        )
      : firstFinding([
          forbidden(sent, far.epsilon),
          sent.changed.length === 0 && nothingChanged(),
          2 * found >= sent.changed.length &&
            finding(
              'caught',
              'They arrived, and were found.',
              `${found} of the ${sent.changed.length} pictures that you changed have more neighbours of another label than of their own, and were dropped. What is left gives the target ${percentOf(after.chance)}; ${slippedBar} % is needed.`,
              `the filter asks ${neighbours} neighbours. See to it that most of them are yours.`,
            ),
          finding(
            'too-timid',
            'The filter let them in, and they did too little.',
            `${caught} of your pictures were dropped. The target gets ${percentOf(after.chance)} for “${name}”; ${slippedBar} % is needed.`,
            'this target lies deep in its class: go all the way, with as many pictures as you have.',
          ),
        ]),
  })
}

/** The map maker’s filter: deep k-NN on everything that came in. */
async function makerSifts(task: Task, { rows, changed }: Sent, trusted: Trusted) {
  const features = await featuresOf(await trusted.model(task.victim.model), rows)
  const { flaggedIds } = await deepKnnSuspicion(features, { neighbours }, { seed: 0 })
  const mine = new Set(uploadIds(task))
  return {
    kept: withoutRows(rows, flaggedIds),
    flagged: flaggedIds.length,
    /** Of the learner's pictures, and of those that were changed. */
    caught: flaggedIds.filter((id) => mine.has(id)).length,
    found: flaggedIds.filter((id) => changed.includes(id)).length,
  }
}
