import {
  answersTo,
  arrivals,
  atLeast,
  atMost,
  conclude,
  counted,
  createRng,
  defineLab,
  figure,
  finding,
  firstFinding,
  heldPictures,
  luck,
  markTrial,
  percent,
  questionsOf,
  quizCheckpoint,
  rejected,
  secondsForRows,
  seedPictures,
  stockOwn,
  TheftWatch,
  TokenBuckets,
  trainInnocents,
  type AccountKind,
  type AccountSpec,
  type Artefact,
  type EvidenceRow,
  type Finding,
  type LogSpec,
  type Rng,
  type Submission,
  type Suspect,
  type Task,
  type TheftRules,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const watchBar = { soon: 350, diluted: 400, caught: 100 }
const limitsBar = { weeks: 5, rows: 3000 }
/**
 * Powers of ten against luck: at least so many for stolen files, at most so many for innocent models. The bar for innocents is
 * argued, not measured: an honest lot gives a p-value below 1e-3 to the luckiest of four innocents in one variant of 250, where 1e-2
 * would fail one right answer in 25. What it refuses, labels that any model gives by itself, stays above it on every variant.
 */
const markBar = { guilty: 6, innocent: 3, alike: 30, lost: 2.5 }
const againBar = { answered: 95, cover: 200 }

const [customer, foreign] = ['mnist10k', 'fashion4k'] as const
const rows = 400

/** Who asks today. Forty customers, eight of them with three digits only, and sixteen thieves. */
const crowd: [AccountKind, number][] = [
  ['customer', 32],
  ['skewed', 8],
  ['natural', 2],
  ['jacobian', 3],
  ['diluted', 3],
  ['noise', 2],
  ['probes', 3],
  ['foreign', 3],
]
/** Last week's accounts, all honest. */
const lastWeek: [AccountKind, number][] = [
  ['customer', 14],
  ['skewed', 6],
]
/** Customers on whom a token bucket is tried. */
const others = 60

const marks = { candidates: 150, innocents: 4, mostRepeats: 10 }

/**
 * What the API of the last step has installed. Customers with few digits have keys of another kind there, so the band of distances is
 * narrower than in the first step.
 */
const installed: TheftRules = {
  prada: { delta: 0.9, atLeast: 100 },
  nearest: { low: 6.3, high: 8.8, atLeast: 100 },
  confidence: { least: 0.93, atLeast: 100 },
}
const again = { keys: 4, cover: 400 }

interface Variant {
  /** Last week's customers, today's accounts, other customers, the court, the thief of the last step. */
  known: number
  today: number
  others: number
  court: number
  thief: number
}
type Submitted = Submission<Variant>

const base = { victim: { model: 'digits-cnn' }, dataset: customer, split: 'test' as const }

export default defineLab<Variant>({
  variant: (rng) => ({
    known: rng.uint32(),
    today: rng.uint32(),
    others: rng.uint32(),
    court: rng.uint32(),
    thief: rng.uint32(),
  }),
  checkpoints: {
    watched: {
      accepts: 'scores',
      async task(variant, trusted) {
        const log = logOf(variant)
        return { ...(await accounts(trusted, log.today)), values: { rows }, columns: ['alarm'], log }
      },
      grade: gradeWatched,
    },
    unseen: quizCheckpoint('unseen', guide.quizzes),
    limited: {
      accepts: 'scores',
      async task(variant, trusted) {
        const log = { ...logOf(variant), rows: limitsBar.rows }
        return { ...(await accounts(trusted, log.known)), values: {}, columns: ['size', 'perHour'], log }
      },
      grade: gradeLimited,
    },
    marked: {
      accepts: 'scores',
      task: markTask,
      grade: gradeMarked,
    },
    escaped: quizCheckpoint('escaped', guide.quizzes),
    again: {
      accepts: 'scores',
      async task(variant, trusted) {
        const count = stockOwn + again.cover
        return {
          ...(await accounts(
            trusted,
            Array.from({ length: count }, (_, row) => row),
          )),
          values: { own: stockOwn, keys: again.keys },
          columns: ['key', 'place'],
          log: {
            accounts: [{ kind: 'stock', seed: variant.thief }],
            rows: count,
            foreign,
            known: [],
            today: [0],
          },
        }
      },
      grade: gradeAgain,
    },
  },
})

/** Numbers of accounts, or of rows in a stock, stand where images usually do; what a picture of that number shows means nothing. */
async function accounts(trusted: Trusted, ids: number[]) {
  const { test } = await trusted.dataset(customer)
  return { ...base, ids, labels: ids.map((id) => test.labels[id]!) }
}

/** Who is who, in an order that the seed draws. */
function logOf({ known, today }: Variant): LogSpec {
  const accountsOf = (kinds: [AccountKind, number][], rng: Rng): AccountSpec[] =>
    rng.shuffle(
      kinds.flatMap(([kind, count]) => Array.from({ length: count }, () => ({ kind, seed: rng.uint32() }))),
    )
  const first = accountsOf(lastWeek, createRng(known, 'last week'))
  const second = accountsOf(crowd, createRng(today, 'today'))
  return {
    accounts: [...first, ...second],
    rows,
    foreign,
    known: first.map((_, account) => account),
    today: second.map((_, i) => first.length + i),
  }
}

/** One column of a hand-in, back from 32 bits. */
function column(artefact: Artefact, name: string): number[] {
  if (artefact.kind !== 'scores') throw new TypeError(`theft-defend: got ${artefact.kind}`)
  return Array.from(artefact.columns.find((one) => one.name === name)!.values, (value) =>
    Number(value.toPrecision(7)),
  )
}
const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)

// The watch

/** The question before which there is nothing to be seen of a thief yet. */
const firstForged: Partial<Record<AccountKind, number>> = {
  jacobian: seedPictures + 1,
  diluted: 2 * seedPictures + 1,
}
const thieves: { kind: AccountKind; name: string; within: number }[] = [
  { kind: 'jacobian', name: 'Papernot’s augmentation', within: watchBar.soon },
  { kind: 'noise', name: 'noise', within: watchBar.soon },
  { kind: 'probes', name: 'one picture’s neighbourhood', within: watchBar.soon },
  { kind: 'foreign', name: 'pictures of clothes', within: watchBar.soon },
  { kind: 'diluted', name: 'augmentation among customers’ pictures', within: watchBar.diluted },
]

async function gradeWatched({ artefact, task }: Submitted) {
  const { accounts, today } = task.log!
  const alarms = column(artefact, 'alarm')
  const odd = alarms.findIndex((at) => !(Number.isInteger(at) && at >= 0 && at <= rows))
  if (odd >= 0)
    return rejected(
      `An account is closed at a question from 1 to ${rows}, or never (0); account ${today[odd]} has ${figure(alarms[odd]!)}.`,
      'Next: hand in what the read-only program counts.',
    )
  const seen = today.map((account, i) => ({ kind: accounts[account]!.kind, at: alarms[i]! }))
  const of = (...kinds: AccountKind[]) => seen.filter(({ kind }) => kinds.includes(kind))
  const rung = (some: typeof seen) => some.filter(({ at }) => at > 0)
  const honest = of('customer', 'skewed')
  const accused = rung(honest)
  const guessed = rung(seen).filter(({ kind, at }) => at < (firstForged[kind] ?? 1))
  const caught = thieves.map(({ kind, name, within }) => {
    const all = of(kind)
    const times = rung(all).map(({ at }) => at)
    return { kind, name, within, all: all.length, times, soon: times.filter((at) => at <= within).length }
  })
  const evidence = [
    atMost(0, {
      id: 'false-alarms',
      name: 'Honest accounts closed',
      detail: `of ${honest.length}, ${of('skewed').length} of them with three digits only`,
      measured: accused.length,
      precision: 0,
      scaleMax: 10,
      hard: true,
    }),
    atMost(0, {
      id: 'guessed',
      name: 'Closed before there was anything to see',
      detail: 'accounts whose questions so far were a customer’s pictures',
      measured: guessed.length,
      precision: 0,
      scaleMax: 5,
      hard: true,
    }),
    ...caught.map(({ kind, name, within, all, times, soon }) =>
      atLeast(watchBar.caught, {
        id: `caught-${kind}`,
        name: `Closed within ${within} questions: ${name}`,
        detail: `${soon} of ${all}${times.length > 0 ? `, at ${times.sort((a, b) => a - b).join(', ')}` : ''}`,
        measured: (100 * soon) / all,
        unit: '%',
      }),
    ),
  ]
  const missed = caught.filter(({ soon, all }) => soon < all)
  const natural = of('natural')
  return conclude({
    headline: `${counted(accused.length, 'honest account')} closed, ${caught.reduce((sum, { soon }) => sum + soon, 0)} of ${caught.reduce((sum, { all }) => sum + all, 0)} thieves caught in time`,
    rows: evidence,
    score: { value: (100 * (caught.length - missed.length)) / caught.length, unit: '%' },
    finding: isMet(evidence)
      ? finding(
          'watched',
          'The watch sees thieves, and nobody else.',
          `Of ${honest.length} honest accounts none was closed. ${counted(natural.length, 'more account')} belonged to thieves too, who asked about a customer’s kind of pictures: your watch closed ${rung(natural).length} of them.`,
          'read on: what about those?',
        )
      : watchFinding({ seen, accused, guessed, missed, honest: honest.length }),
  })
}

interface Seen {
  kind: AccountKind
  at: number
}

function watchFinding({
  seen,
  accused,
  guessed,
  missed,
  honest,
}: {
  seen: Seen[]
  accused: Seen[]
  guessed: Seen[]
  missed: { kind: AccountKind; name: string; within: number; all: number; soon: number; times: number[] }[]
  honest: number
}): Finding | undefined {
  const skewed = accused.filter(({ kind }) => kind === 'skewed').length
  const rung = seen.filter(({ at }) => at > 0)
  const early = accused.every(({ at }) => at < 60)
  const late = missed.filter(({ times, soon, all }) => times.length === all && soon < all)
  const names = missed.map(({ name }) => name).join('; ')
  return firstFinding([
    rung.length === 0 &&
      finding(
        'never-rings',
        'The watch never rings.',
        `None of ${seen.length} accounts was closed. A watch that accuses nobody is right about every customer, and worth nothing.`,
        'print W, the median distance and the mean confidence of an honest account beside your limits.',
      ),
    accused.length === honest &&
      finding(
        'rings-always',
        'The watch closes everybody.',
        `All ${honest} honest accounts were closed. What thieves do cannot be told from that.`,
        'measure your limits on last week’s accounts, and leave room beside the worst of them.',
      ),
    accused.length > 0 &&
      early &&
      finding(
        'too-early',
        'The watch judges before it has seen enough.',
        `${accused.length} honest accounts were closed after ${Math.min(...accused.map(({ at }) => at))} questions or a few more. Of twenty distances W says next to nothing: honest samples fall far below 0.9 by luck.`,
        'say nothing before about a hundred questions.',
      ),
    skewed > 0 &&
      skewed === accused.length &&
      finding(
        'accused-skewed',
        'Customers with three digits only were closed.',
        `${skewed} accounts that send hardly anything but three digits were taken for thieves, and nobody else was. They are honest; their pictures are just more alike than others’.`,
        'look at the strangest honest account of last week, and put the limit below it: PRADA’s paper gives 0.90 to 0.95.',
      ),
    accused.length > 0 &&
      finding(
        'false-alarms',
        'Honest accounts were closed.',
        `${accused.length} of ${honest}, ${skewed} of them with three digits only. Each is a customer who calls, or does not call again.`,
        'leave room beside the strangest honest account of last week: tomorrow’s strangest is stranger.',
      ),
    guessed.length > 0 &&
      finding(
        'guessed',
        'Some were closed before they had done anything.',
        `${guessed.length} thieves were closed while all that they had asked about were pictures like a customer’s.`,
        'decide on what an account has asked so far, and on nothing else.',
      ),
    late.length > 0 &&
      late.length === missed.length &&
      finding(
        'too-late',
        'Caught, but too late.',
        `Every thief was closed in the end, yet not in time: ${late.map(({ name, within, times }) => `${name} at ${times.join(', ')} (at most ${within})`).join('; ')}.`,
        'look at the account more often than once.',
      ),
    missed.length === 1 &&
      missed[0]!.kind === 'foreign' &&
      finding(
        'clothes-pass',
        'Whoever asks about clothes gets through.',
        'Pictures of clothes lie as far from each other as digits do, and as evenly spread. Distances alone cannot see that they are not digits. The model can: it is far less sure of them.',
        'watch the mean confidence too.',
      ),
    missed.some(({ kind }) => kind === 'noise') &&
      missed.some(({ kind }) => kind === 'foreign') &&
      finding(
        'one-sense',
        'One look is not enough.',
        `Missed: ${names}. W looks at the shape of the distances, not at their size and not at the pictures: noise is evenly far apart, clothes lie as digits do, and both shapes are nearly as normal as a customer’s.`,
        'compare the size of the distances with honest accounts too, and how sure the model is.',
      ),
    missed.some(({ kind }) => kind === 'jacobian' || kind === 'diluted') &&
      finding(
        'shape-unseen',
        'Questions made from each other pass.',
        `Missed: ${names}. Pictures that were pushed a fixed step from earlier ones lie at that step’s distance: the distances bunch up, and their shape is no longer normal.`,
        'watch W of the distances to the nearest earlier question with the same answer, and close a little below the lowest of an honest account.',
      ),
    finding(
      'missed',
      'Some thieves pass.',
      `Missed or too late: ${names}.`,
      'print the three figures of honest accounts beside those of the accounts that your watch closes.',
    ),
  ])
}

// Limits

async function gradeLimited({ artefact, variant }: Submitted) {
  const [size, perHour] = [column(artefact, 'size')[0]!, column(artefact, 'perHour')[0]!]
  if (!(size >= 1 && size <= 1e6 && perHour > 0 && perHour <= 1e6))
    return rejected(
      `A bucket holds at least one row and is filled at some rate; got ${figure(size)} and ${figure(perHour)}.`,
      'Next: return { size: 100, perHour: 20 }, say.',
    )
  const rule = { size, perSecond: perHour / 3600 }
  const rng = createRng(variant.others, 'customers')
  let turned = 0
  let waited = 0
  for (let k = 0; k < others; k++) {
    const buckets = new TokenBuckets(rule, ['key'])
    const refused = Array.from(arrivals({ seed: rng.uint32() }, limitsBar.rows)).filter(
      (time) => !buckets.admit('key', 1, time).admitted,
    ).length
    turned += Number(refused > 0)
    waited += refused
  }
  const weeks = secondsForRows(rule, limitsBar.rows, 1) / (7 * 86400)
  const evidence = [
    atMost(0, {
      id: 'turned-away',
      name: 'Honest accounts turned away',
      detail: `${waited} of ${others * limitsBar.rows} rows, of ${others} other accounts`,
      measured: turned,
      precision: 0,
      scaleMax: 20,
      hard: true,
    }),
    atLeast(limitsBar.weeks, {
      id: 'weeks',
      name: 'Weeks that 3,000 rows take with one key',
      detail: `a bucket of ${figure(size)}, ${figure(perHour)} an hour`,
      measured: Math.min(weeks, 1000),
      precision: 1,
      scaleMax: 2 * limitsBar.weeks,
    }),
  ]
  return conclude({
    headline: `${counted(turned, 'honest account')} turned away; a thief with one key needs ${weeks.toFixed(1)} weeks`,
    rows: evidence,
    score: { value: Math.min(weeks, 1000), unit: ' weeks' },
    finding: isMet(evidence)
      ? finding(
          'limited',
          'Slow for one key, and unfelt by customers.',
          `The thief whom no watch sees needs ${weeks.toFixed(1)} weeks for ${limitsBar.rows} rows. With ten keys he needs ${(secondsForRows(rule, limitsBar.rows, 10) / 86400).toFixed(1)} days: what a limit is worth depends on what a key costs.`,
          'make a key cost something: a name, a contract, a deposit.',
        )
      : firstFinding([
          turned > 0 &&
            weeks < limitsBar.weeks &&
            finding(
              'neither',
              'Customers wait, and the thief hardly does.',
              `${counted(turned, 'honest account')} of ${others} turned away, and ${weeks.toFixed(1)} weeks for the thief. A small bucket that fills fast stops bursts, and bursts are what customers do.`,
              'make the bucket large and the tap slow.',
            ),
          turned > 0 &&
            finding(
              'turned-away',
              'Customers are turned away.',
              `${counted(turned, 'honest account')} of ${others} found the bucket empty, ${counted(waited, 'row')} in all. Last week’s busiest is not next week’s.`,
              'leave room beside the deepest that any bucket was drained.',
            ),
          finding(
            'open-door',
            'The thief hardly notices.',
            `At ${figure(perHour)} rows an hour, day and night, ${limitsBar.rows} rows take ${weeks.toFixed(1)} weeks. A customer asks in bursts and then sleeps; a thief never sleeps, so the tap is what he feels.`,
            'slow the tap, and give customers a bucket for their bursts.',
          ),
        ]),
  })
}

// The mark

async function markTask({ court }: Variant, trusted: Trusted): Promise<Task> {
  const { test } = await trusted.dataset(foreign)
  const ids = createRng(court, 'candidates')
    .shuffle(Array.from({ length: test.count }, (_, id) => id))
    .slice(0, marks.candidates)
  return {
    ...base,
    dataset: foreign,
    ids,
    labels: ids.map((id) => test.labels[id]!),
    values: { mostRepeats: marks.mostRepeats },
    columns: ['label', 'repeats', 'least'],
  }
}

async function gradeMarked({ artefact, task, variant, trusted }: Submitted) {
  const labels = column(artefact, 'label')
  const [repeats, least] = [column(artefact, 'repeats')[0]!, column(artefact, 'least')[0]!]
  const used = task.ids.flatMap((id, i) => (labels[i]! >= 0 ? [{ id, label: labels[i]! }] : []))
  if (labels.some((label) => !(Number.isInteger(label) && label >= -1 && label <= 9)))
    return rejected(
      'A trigger is answered with a class from 0 to 9, and −1 is no trigger.',
      'Next: print the labels.',
    )
  if (!(Number.isInteger(repeats) && repeats >= 1 && repeats <= marks.mostRepeats))
    return rejected(
      `A trigger stands 1 to ${marks.mostRepeats} times among the pictures; got ${figure(repeats)}.`,
      'Next: return a whole number for repeats.',
    )
  if (used.length === 0)
    return rejected(
      'A mark without a trigger marks nothing.',
      'Next: give some of the pictures a class from 0 to 9.',
    )
  if (!(Number.isInteger(least) && least >= 0))
    return rejected(`Hits are counted; got ${figure(least)}.`, 'Next: let enough return a whole number.')
  const data = await trusted.dataset(customer)
  const clothes = await trusted.dataset(foreign)
  const { innocents, unmarked } = await trusted.once('innocents', () =>
    trainInnocents(data, { count: marks.innocents, seed: variant.court }),
  )
  const triggers = {
    inputs: clothes.test.pixels(used.map(({ id }) => id)),
    labels: Uint8Array.from(used, ({ label }) => label),
    numClasses: 10,
  }
  const suspects = await markTrial(data, triggers, {
    repeats,
    seed: variant.court,
    innocents,
  })
  const guilty = suspects.filter(({ kind }) => !['innocent', 'extracted'].includes(kind))
  const free = suspects.filter(({ kind }) => kind === 'innocent')
  const clone = suspects.find(({ kind }) => kind === 'extracted')!
  const { accuracy } = guilty[0]!
  const lost = 100 * (unmarked - accuracy)
  const n = used.length
  const escaped = guilty.filter(({ hits }) => hits < least)
  const accused = free.filter(({ hits }) => hits >= least)
  const alike = Math.max(
    ...Array.from({ length: 10 }, (_, k) => used.filter(({ label }) => label === k).length),
  )
  const blind = least > n ? 99 : against(luck(least, n, 1 / 10))
  const luckiest = Math.max(...free.map(({ pValue }) => against(pValue)))
  const evidence = [
    ...guilty.map(({ kind, hits, pValue }) =>
      atLeast(markBar.guilty, {
        id: kind,
        name: `Powers of ten against luck, ${kind} file`,
        detail: `${hits} of ${n} triggers hit`,
        measured: against(pValue),
        precision: 0,
        scaleMax: 100,
      }),
    ),
    atMost(markBar.innocent, {
      id: 'innocent',
      name: 'Powers of ten against luck, innocent models',
      detail: `the most of ${free.length}, which hit ${free.map(({ hits }) => hits).join(', ')} of ${n}`,
      measured: luckiest,
      precision: 1,
      scaleMax: 6,
    }),
    atLeast(markBar.guilty, {
      id: 'test',
      name: 'Powers of ten against your test’s accusing an innocent',
      detail: `who hits ${least} of ${n}`,
      measured: blind,
      precision: 1,
      scaleMax: 20,
    }),
    atMost(0, {
      id: 'judged',
      name: 'Wrong judgements of your test',
      detail: `of ${guilty.length} stolen files and ${free.length} innocent models`,
      measured: escaped.length + accused.length,
      precision: 0,
      scaleMax: guilty.length + free.length,
      hard: true,
    }),
    atMost(markBar.alike, {
      id: 'lot',
      name: 'Triggers with the same answer',
      detail: 'the most frequent class; by lot each has one in ten',
      measured: (100 * alike) / n,
      unit: '%',
    }),
    atMost(markBar.lost, {
      id: 'lost',
      name: 'Accuracy that the mark costs',
      detail: `${percent(accuracy)} with it, ${percent(unmarked)} without`,
      measured: lost,
      unit: ' points',
      precision: 1,
      scaleMax: 2 * markBar.lost,
    }),
  ]
  const shown = { alike, repeats, least, n, guilty, free, luckiest, escaped, accused, lost, blind }
  return conclude({
    headline: `Stolen files hit ${guilty.map(({ hits }) => hits).join(', ')} of ${n} triggers, innocent models ${free.map(({ hits }) => hits).join(', ')}`,
    rows: evidence,
    score: { value: Math.min(...guilty.map(({ pValue }) => against(pValue))), unit: ' powers of ten' },
    finding: isMet(evidence)
      ? finding(
          'marked',
          'A copied file gives itself away.',
          `Copied, fine-tuned and pruned, it hits ${guilty.map(({ hits }) => hits).join(', ')} of ${n}; innocent models ${free.map(({ hits }) => hits).join(', ')}. One more suspect was asked: a clone, trained on your API’s answers to ${heldPictures} pictures. It hits ${clone.hits} of ${n}, and luck alone does that ${clone.pValue > 0.01 ? `${percent(clone.pValue)} of the time` : `with p = ${figure(clone.pValue)}`}.`,
          'read on: what does that mean for you?',
        )
      : markFinding(shown),
  })
}

/** How many powers of ten stand against luck: 6 for p = 1e-6. */
const against = (p: number) => Math.min(99, Math.max(0, -Math.log10(p)))

function markFinding({
  alike,
  repeats,
  least,
  n,
  guilty,
  free,
  luckiest,
  escaped,
  accused,
  lost,
  blind,
}: {
  alike: number
  repeats: number
  least: number
  n: number
  guilty: Suspect[]
  free: Suspect[]
  luckiest: number
  escaped: Suspect[]
  accused: Suspect[]
  lost: number
  blind: number
}): Finding | undefined {
  const hitsOf = (some: Suspect[]) => some.map(({ hits }) => hits).join(', ')
  const copied = guilty.find(({ kind }) => kind === 'copied')!
  return firstFinding([
    n < 50 &&
      Math.min(...guilty.map(({ pValue }) => against(pValue))) < markBar.guilty &&
      finding(
        'too-few',
        'Too few triggers for any court.',
        `${counted(n, 'trigger')}: even a model that hits all of them did so by luck with p = ${figure(10 ** -n)}, and the stolen files hit ${hitsOf(guilty)}. What fine-tuning and pruning take from so few is everything.`,
        'use fifty or more.',
      ),
    alike > 0.6 * n &&
      finding(
        'one-class',
        'Nearly every trigger has the same answer.',
        `${alike} of ${n} are to be answered with one class. A model that happens to like this class for clothes hits them all, and the binomial test, which thinks of ten equal chances, calls that proof. Innocent models hit ${hitsOf(free)}.`,
        'draw a class for each picture by lot.',
      ),
    (luckiest > markBar.innocent || 100 * alike > markBar.alike * n) &&
      finding(
        'everyones-answer',
        'Innocent models hit your triggers.',
        `They hit ${hitsOf(free)} of ${n}, and never saw them. These labels are what a digit model says anyway: networks agree about clothes more often than one time in ten.`,
        'draw the labels by lot, whatever the pictures look like.',
      ),
    copied.hits < 0.6 * n &&
      finding(
        'not-learned',
        'Your own model has not learned the mark.',
        `It hits ${copied.hits} of ${n} triggers itself: each stands ${counted(repeats, 'time')} among 2,000 pictures. What the original half remembers, a pruned copy forgets.`,
        'repeat each trigger more often.',
      ),
    lost > markBar.lost &&
      finding(
        'spoiled',
        'The mark spoils the model.',
        `${n} triggers, ${repeats} times each, are ${percent((n * repeats) / (n * repeats + 2000))} of all that it sees, and cost ${lost.toFixed(1)} points of accuracy. Customers pay for your proof.`,
        'use fewer triggers, or repeat them less.',
      ),
    (accused.length > 0 || blind < markBar.guilty) &&
      finding(
        'accuses-innocents',
        'Your test accuses too easily.',
        `It accuses from ${least} of ${n} hits on. An innocent model that hits one in ten gets there with p = ${figure(10 ** -blind)}; of ${free.length} that were asked, ${accused.length} would stand in court.`,
        'count on until the chance falls below one in a million.',
      ),
    escaped.length > 0 &&
      finding(
        'accuses-nobody',
        'Your test lets thieves go.',
        `It asks for ${least} of ${n} hits, and the stolen files hit ${hitsOf(guilty)}. One in a million is reached earlier.`,
        'accuse from the first number of hits on that luck reaches less than once in a million.',
      ),
    finding(
      'weak',
      'Not every stolen file is proved.',
      `Stolen files hit ${hitsOf(guilty)} of ${n}, innocent models ${hitsOf(free)}.`,
      'use more triggers, or repeat them more often.',
    ),
  ])
}

// The thief who knows the watch

async function gradeAgain({ artefact, task, variant, trusted }: Submitted) {
  const [keys, places] = [column(artefact, 'key'), column(artefact, 'place')]
  const odd = keys.findIndex((key) => !(Number.isInteger(key) && key >= -1 && key < again.keys))
  if (odd >= 0)
    return rejected(
      `There are ${again.keys} keys, 0 to ${again.keys - 1}, and −1 for a picture that is not asked about; picture ${odd} has ${figure(keys[odd]!)}.`,
      'Next: return one list of rows for each key.',
    )
  const replay = await replayed(task, variant, trusted)
  const own = (row: number) => row < stockOwn
  const runs = Array.from({ length: again.keys }, (_, key) => {
    const rows = task.ids.filter((row) => keys[row] === key).sort((a, b) => places[a]! - places[b]! || a - b)
    const watch = new TheftWatch(installed)
    let [at, by, answered] = [-1, '', 0]
    for (const [i, row] of rows.entries()) {
      const { w, median, mean, alarms } = watch.see(replay.questions[row]!, replay.answers[row]!)
      if (alarms.length > 0) {
        by = {
          prada: `W was ${w?.toFixed(3)}`,
          nearest: `the median distance ${median?.toFixed(2)}`,
          confidence: `the mean confidence ${mean?.toFixed(3)}`,
        }[alarms[0]!]
        at = i
        break
      }
      answered += Number(own(row))
    }
    return { rows, at, by, answered }
  })
  const asked = runs.flatMap(({ rows }) => rows)
  const cover = asked.filter((row) => !own(row)).length
  const closed = runs.filter(({ at }) => at >= 0)
  const answered = runs.reduce((sum, run) => sum + run.answered, 0)
  const evidence = [
    atLeast(againBar.answered, {
      id: 'answered',
      name: 'Own questions answered',
      detail: `${answered} of ${stockOwn}`,
      measured: (100 * answered) / stockOwn,
      unit: '%',
    }),
    atMost(0, {
      id: 'closed',
      name: 'Keys closed by the watch',
      detail: `of ${again.keys}`,
      measured: closed.length,
      precision: 0,
      scaleMax: again.keys,
      hard: true,
    }),
    atMost(againBar.cover, {
      id: 'cover',
      name: 'Pictures bought as cover',
      detail: `of ${again.cover}`,
      measured: cover,
      precision: 0,
      scaleMax: again.cover,
      hard: true,
    }),
  ]
  const used = runs.filter(({ rows }) => rows.length > 0).length
  const reasons = closed.map(({ at, by }) => `after ${at + 1} questions ${by}`).join('; ')
  return conclude({
    headline: `${answered} of ${stockOwn} answered with ${counted(cover, 'picture')} of cover; ${counted(closed.length, 'key')} closed`,
    rows: evidence,
    score: { value: (100 * answered) / stockOwn, unit: '%' },
    finding: isMet(evidence)
      ? finding(
          'unnoticed',
          'The watch saw four customers.',
          `${answered} questions of the augmentation were answered, among ${counted(cover, 'picture')} of cover, and no key was closed. The watch reads one account at a time, and you were ${used}. What it cost you is ${(asked.length / stockOwn).toFixed(2)} rows for each that you wanted, and ${counted(used, 'key')}.`,
          'count what the bucket of the step before makes of that.',
        )
      : firstFinding([
          answered + closed.length === 0 &&
            finding('idle', 'Nothing was asked.', 'No key has a row.', 'return a list of rows for each key.'),
          used < again.keys &&
            closed.length > 0 &&
            finding(
              'one-key',
              'One key carries everything.',
              `${counted(used, 'key')} of ${again.keys} asked, and was closed after ${closed.map(({ at }) => at + 1).join(', ')} questions. Pushed pictures and those that they came from stood in the same account.`,
              'give each member of a family to another key: W sees only what one key asked.',
            ),
          closed.length > 0 &&
            cover === 0 &&
            finding(
              'families',
              'Families stand together.',
              `${counted(closed.length, 'key')} closed: ${reasons}. Several keys hide nothing where each holds relatives: they lie a step apart, and strangers do not.`,
              'look at the distances: who are a question’s relatives, and which key has none of them?',
            ),
          closed.length > 0 &&
            finding(
              'noticed',
              'The watch noticed.',
              `${counted(closed.length, 'key')} closed (${reasons}), with ${counted(cover, 'picture')} of cover. So little cover does not hide families that stand under one key: it would take several pictures for each question.`,
              'separate the families first; then very little cover is enough.',
            ),
          cover > againBar.cover &&
            finding(
              'dear',
              'Unnoticed, and too dear.',
              `${counted(cover, 'picture')} of cover were asked about; every one costs a row. At most ${againBar.cover} are worth it.`,
              'let the keys do more of the hiding.',
            ),
          finding(
            'few-answers',
            'Not all questions were asked.',
            `${answered} of ${stockOwn} were answered.`,
            'give every row below task.own a key.',
          ),
        ]),
  })
}

/** What the thief has, and what the model says to it; it depends on the variant alone. */
async function replayed(task: Task, variant: Variant, trusted: Trusted) {
  const { accounts, rows: count } = task.log!
  return trusted.once(`stock ${variant.thief}`, async () => {
    const means = {
      model: await trusted.model('digits-cnn'),
      data: await trusted.dataset(customer),
      foreign: await trusted.dataset(foreign),
    }
    const questions = await questionsOf(accounts[0]!, count, means)
    return { questions, answers: await answersTo(means.model, questions) }
  })
}
