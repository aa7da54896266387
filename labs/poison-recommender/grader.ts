import {
  atLeast,
  atMost,
  conclude,
  counted,
  createRng,
  defineLab,
  finding,
  firstFinding,
  givenRatings,
  honestShoppers,
  itemStatistics,
  percent,
  profileSimilarity,
  profilesOf,
  quizCheckpoint,
  recommended,
  shopRatings,
  type Artefact,
  type ChangeList,
  type DataSet,
  type EvidenceRow,
  type Profile,
  type ShopSpec,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const exposureBar = 25
const movedBar = 2.5
const cleanedBar = 6
const honestBar = 3
const slippedBar = 15

/** Five invented shoppers for every hundred honest ones. */
const budget = 30
/** So many are read; more than the budget are told so, and fail. */
const most = 100
/** The pushed item is one of those at these places by popularity, and hardly anybody is shown it. */
const [firstRank, lastRank] = [120, 190]
const mostShown = 0.02
/** Honest shoppers below this share of the likeness scores pass the shop's filter. */
const passing = 0.98
const neighbours = 8

const itemKnn = { kind: 'item-knn', neighbours: 30, shrink: 5, indifferent: 2 } as const
const unitKnn = { ...itemKnn, unitProfiles: true } as const
const base = { victim: { model: '' }, dataset: 'shop', split: 'train' } as const

interface Variant {
  target: number
  /** Seeds of the profiles that somebody invented before the defender came, and of everybody's numbers. */
  invented: number
  numbers: number
}

export default defineLab<Variant>({
  async variant(rng, trusted) {
    return {
      target: await unpopular(rng.uint32(), trusted),
      invented: rng.uint32(),
      numbers: rng.uint32(),
    }
  },
  checkpoints: {
    pushed: { accepts: 'change-list', task: attackTask, grade: gradePushed },
    'what-to-watch': quizCheckpoint('what-to-watch', guide.quizzes),
    filtered: { accepts: 'change-list', task: filterTask, grade: gradeFiltered },
    slipped: {
      accepts: 'change-list',
      async task(variant, trusted) {
        const task = await attackTask(variant, trusted)
        const above = await cutOf(await trusted.dataset(base.dataset), trusted)
        return {
          ...task,
          values: { ...task.values, neighbours, cut: above },
          shop: { ...task.shop!, recommender: unitKnn, filter: { neighbours, above } },
        }
      },
      grade: gradeSlipped,
    },
  },
})

/** Items by how many rated them, the most popular first. */
function byPopularity(dataset: DataSet): number[] {
  const { counts } = itemStatistics(shopRatings(dataset).known)
  return [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b)
}

async function unpopular(seed: number, trusted: Trusted): Promise<number> {
  const dataset = await trusted.dataset(base.dataset)
  const shop: ShopSpec = { recommender: itemKnn, target: 0, handIn: { kind: 'shoppers' } }
  const { lists } = await recommended(shop, dataset, {}, { seed })
  const shown = (item: number) => lists.filter((list) => list.includes(item)).length / lists.length
  const candidates = createRng(seed, 'target').shuffle(byPopularity(dataset).slice(firstRank, lastRank))
  return candidates.find((item) => shown(item) <= mostShown) ?? candidates[0]!
}

/** Where the shop's filter cuts: it let this share of last year's shoppers pass, of whom it knows that they are real. */
async function cutOf(dataset: DataSet, trusted: Trusted): Promise<number> {
  return trusted.once('cut', async () => {
    const { known } = shopRatings(dataset)
    const { scores } = await profileSimilarity(known, { neighbours, share: 0 }, { seed: 0 })
    return Float64Array.from(scores).sort()[Math.floor(passing * scores.length)]!
  })
}

/** The catalogue, and the shop as it is. */
async function attackTask({ target }: Variant, trusted: Trusted): Promise<Task> {
  const { train } = await trusted.dataset(base.dataset)
  const ids = Array.from({ length: train.count }, (_, i) => i)
  return {
    ...base,
    victim: { ...base.victim },
    ids,
    labels: ids.map((id) => train.labels[id]!),
    values: { budget, item: target },
    shop: { recommender: itemKnn, target, handIn: { kind: 'profiles', most } },
  }
}

/** Somebody has pushed the item before; everybody has a number that says nothing. */
async function filterTask(variant: Variant, trusted: Trusted): Promise<Task> {
  const task = await attackTask(variant, trusted)
  const dataset = await trusted.dataset(base.dataset)
  const { numUsers } = shopRatings(dataset).known
  const profiles = bandwagon(variant, byPopularity(dataset))
  const numbers = createRng(variant.numbers, 'numbers').shuffle(
    Array.from({ length: numUsers + profiles.length }, (_, i) => i),
  )
  return {
    ...task,
    values: { shoppers: numbers.length },
    shop: { ...task.shop!, handIn: { kind: 'shoppers' }, invented: { profiles, numbers } },
  }
}

/** Each praises the item and sixteen of the thirty most popular, some of them a little less. */
function bandwagon({ target, invented }: Variant, popular: readonly number[]): Profile[] {
  const rng = createRng(invented, 'invented')
  const pool = popular.filter((item) => item !== target).slice(0, 30)
  return Array.from({ length: budget }, () => [
    { item: target, value: 5 },
    ...rng
      .shuffle([...pool])
      .slice(0, 16)
      .map((item) => ({ item, value: rng.uniform() < 0.7 ? 5 : 4 })),
  ])
}

function changesIn(artefact: Artefact): ChangeList {
  if (artefact.kind !== 'change-list') throw new TypeError(`poison-recommender: got ${artefact.kind}`)
  return artefact
}

const points = (share: number) => 100 * share
const said = (share: number) => `${points(share).toFixed(1)} %`
const run = { seed: 0 }

/** What the shop shows without any of the learner's work. */
const before = (task: Task, dataset: DataSet, trusted: Trusted) =>
  trusted.once(
    `before ${JSON.stringify([task.shop!.recommender, task.shop!.filter, task.shop!.target])}`,
    () => recommended({ ...task.shop!, invented: undefined }, dataset, {}, run),
  )

const budgetRow = (profiles: readonly Profile[]) =>
  atMost(budget, {
    id: 'budget',
    name: 'Invented shoppers',
    detail: 'five for every hundred honest ones',
    measured: profiles.length,
    precision: 0,
    hard: true,
  })

function overBudget(row: EvidenceRow) {
  return conclude({
    headline: `${row.measured} invented shoppers, ${budget} allowed`,
    rows: [row],
    finding: finding(
      'over-budget',
      'More shoppers than you may invent.',
      `${row.measured} profiles are handed in, and ${budget} are allowed: five for every hundred honest shoppers. Nothing else was measured.`,
      'keep to the budget; how they look counts for more than how many they are.',
    ),
  })
}

const movedRow = (from: number, to: number) =>
  atMost(movedBar, {
    id: 'moved',
    name: 'Hit rate, moved by',
    detail: `from ${said(from)} to ${said(to)} of what honest shoppers bought next`,
    measured: Math.abs(points(to - from)),
    unit: 'points',
    precision: 1,
    scaleMax: 10,
  })

/** What the profiles look like, for findings. */
function looks(profiles: readonly Profile[], target: number, dataset: DataSet) {
  const { known } = shopRatings(dataset)
  const { counts } = itemStatistics(known)
  const mean = (values: readonly number[]) =>
    values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
  const others = profiles.flat().filter(({ item }) => item !== target)
  const praised = others.filter(({ value }) => value >= 4)
  return {
    size: mean(profiles.map((profile) => profile.length)),
    praising: profiles.filter((profile) => profile.some(({ item, value }) => item === target && value === 5))
      .length,
    praised: praised.length / Math.max(1, profiles.length),
    sameKind: mean(praised.map(({ item }) => Number(known.groups![item] === known.groups![target]))),
    popularity: mean(praised.map(({ item }) => counts[item]!)),
    usual: known.users.length / known.numItems,
  }
}

function commonFaults(profiles: readonly Profile[], target: number, dataset: DataSet) {
  const { praising } = looks(profiles, target, dataset)
  return [
    profiles.length === 0 &&
      finding(
        'nobody',
        'Nobody was invented.',
        'The list of profiles is empty, so the shop learns what it would have learned.',
        'hand in a list with a list of ratings for each invented shopper.',
      ),
    praising < profiles.length / 2 &&
      finding(
        'wrong-item',
        'Your shoppers do not praise the item.',
        `${praising} of ${counted(profiles.length, 'profile')} give item ${target} five stars. An item is recommended beside what the same people like.`,
        `begin every profile with { item: ${target}, stars: 5 }; task.item is its number.`,
      ),
  ]
}

async function gradePushed({ task, artefact, trusted }: Submission<Variant>) {
  const profiles = profilesOf(changesIn(artefact))
  const row = budgetRow(profiles)
  if (!row.satisfied) return overBudget(row)
  const dataset = await trusted.dataset(task.dataset)
  const { target } = task.shop!
  const clean = await before(task, dataset, trusted)
  const after = await recommended(task.shop!, dataset, { profiles }, run)
  const rows = [
    atLeast(exposureBar, {
      id: 'exposure',
      name: 'Honest shoppers who are shown the item',
      detail: `${said(clean.exposure)} before; a list has ten items`,
      measured: points(after.exposure),
      unit: '%',
      precision: 1,
    }),
    movedRow(clean.hitRate, after.hitRate),
    row,
  ]
  const { size, praised, sameKind, popularity, usual } = looks(profiles, target, dataset)
  const fell = `${said(after.exposure)} of the honest shoppers are shown item ${target}; ${exposureBar} % are needed.`
  return conclude({
    headline: `Item ${target} is in the lists of ${percent(after.exposure)} of the honest shoppers`,
    rows,
    score: { value: points(after.exposure), unit: '%' },
    finding: rows.every(({ satisfied }) => satisfied)
      ? finding(
          'pushed',
          'Thirty friends of everything popular.',
          `Item ${target} went from ${said(clean.exposure)} to ${said(after.exposure)} of the lists. The hit rate moved by ${rows[1]!.measured.toFixed(1)} points: the shop works as well as ever, it only sells something else.`,
          'ask what the shop should have watched.',
        )
      : firstFinding([
          ...commonFaults(profiles, target, dataset),
          rows[0]!.satisfied &&
            finding(
              'loud',
              'The shop gets worse, and somebody looks into it.',
              `The item is in ${said(after.exposure)} of the lists, and the hit rate went from ${said(clean.hitRate)} to ${said(after.hitRate)}. Thirty people who all love the same things tie these things together, and push them into lists where they do not belong.`,
              'let each profile praise others of the popular items, or fewer of them.',
            ),
          praised < 6 &&
            finding(
              'too-little-praise',
              'Liked beside what?',
              `${fell} Beside the item a profile praises ${praised.toFixed(1)} things, and has ${size.toFixed(1)} ratings. Three stars say little to this shop, and one or two say nothing: who likes nothing else links the item to nothing.`,
              'let the profiles give five stars to some sixteen other items.',
            ),
          sameKind > 0.6 &&
            finding(
              'one-kind',
              'A corner of the shop.',
              `${fell} ${percent(sameKind)} of what your profiles praise is of the item’s own kind, so it reaches those who buy that kind, and nobody else.`,
              'praise what most shoppers have bought, of whatever kind.',
            ),
          popularity < 1.5 * usual &&
            finding(
              'strangers',
              'Nobody knows what your shoppers like.',
              `${fell} The items that they praise were rated ${popularity.toFixed(0)} times on average, all items ${usual.toFixed(0)} times. An item is shown to those who like what it was liked with, and hardly anybody likes these.`,
              'count how often each item was rated, and praise the ones at the top.',
            ),
          finding(
            'not-enough',
            'The right way, and not far enough.',
            `${fell} A profile praises ${praised.toFixed(1)} things beside it, rated ${popularity.toFixed(0)} times on average.`,
            'praise what is more popular still, and use all thirty shoppers.',
          ),
        ]),
  })
}

async function gradeFiltered({ task, artefact, trusted }: Submission<Variant>) {
  const { ids: without } = changesIn(artefact)
  const dataset = await trusted.dataset(task.dataset)
  const shop = task.shop!
  const honest = honestShoppers(shop, dataset)
  const all = givenRatings(shop, dataset).numUsers
  const invented = all - honest.length
  const clean = await before(task, dataset, trusted)
  const poisoned = await trusted.once('poisoned', () => recommended(shop, dataset, {}, run))
  const after = await recommended(shop, dataset, { without }, run)
  const isHonest = new Set(honest)
  const lost = without.filter((shopper) => isHonest.has(shopper)).length
  const caught = without.length - lost
  const rows = [
    atMost(cleanedBar, {
      id: 'exposure',
      name: 'Honest shoppers who are shown the pushed item',
      detail: `${said(poisoned.exposure)} before the filter, ${said(clean.exposure)} in an honest shop`,
      measured: points(after.exposure),
      unit: '%',
      precision: 1,
      scaleMax: 50,
    }),
    atMost(honestBar, {
      id: 'honest',
      name: 'Honest shoppers left out',
      detail: `${lost} of ${honest.length}`,
      measured: points(lost / honest.length),
      unit: '%',
      precision: 1,
      scaleMax: 20,
      hard: true,
    }),
    movedRow(clean.hitRate, after.hitRate),
  ]
  const got = `${caught} of ${invented} invented shoppers are left out, and with them ${lost} honest ones`
  const likeness = async () => {
    const { scores } = await profileSimilarity(givenRatings(shop, dataset), { neighbours, share: 0 }, run)
    const mean = (list: readonly number[]) =>
      list.reduce((sum, shopper) => sum + scores[shopper]!, 0) / Math.max(1, list.length)
    return { mine: mean(without), usual: mean([...scores.keys()]) }
  }
  const passed = rows.every(({ satisfied }) => satisfied)
  const like = passed ? undefined : await likeness()
  return conclude({
    headline: `${got}; the item is in ${said(after.exposure)} of the lists`,
    rows,
    score: { value: points(1 - after.exposure), unit: '%' },
    finding: passed
      ? finding(
          'filtered',
          'They were poured from one mould.',
          `${got}. The item fell from ${said(poisoned.exposure)} to ${said(after.exposure)} of the lists. Those honest ones are not heard any more, and are served all the same.`,
          'ask what your filter does not look at.',
        )
      : firstFinding([
          without.length === 0 &&
            finding(
              'nobody-left-out',
              'Everybody stays.',
              `Nobody is left out, so the item stays in ${said(poisoned.exposure)} of the lists.`,
              'give every shopper a suspicion, and leave out those with the largest.',
            ),
          caught < invented / 2 &&
            like!.mine < like!.usual &&
            finding(
              'wrong-end',
              'You left out the ones of a kind.',
              `${got}. Your picks are like their nearest by ${like!.mine.toFixed(2)} on average, all shoppers by ${like!.usual.toFixed(2)}. A real shopper with a rare taste looks odd; an invented one looks like the twenty-nine others.`,
              'sort the other way round: the most alike first.',
            ),
          !rows[1]!.satisfied &&
            finding(
              'too-many',
              'Too many honest shoppers pay for it.',
              `${got}. ${honestBar} % of them is the most that the shop can explain.`,
              caught > invented / 2
                ? 'leave out fewer: look where the suspicion falls off.'
                : 'what you sort by does not tell them apart; look at how much two profiles have in common.',
            ),
          lost <= caught &&
            finding(
              'too-few',
              'Right, and too few.',
              `${got}. The ${invented - caught} who are left still push the item into ${said(after.exposure)} of the lists.`,
              'leave out more: look where the suspicion falls off.',
            ),
          finding(
            'missed',
            'What you sort by does not tell them apart.',
            `${got}, and the item stays in ${said(after.exposure)} of the lists.`,
            'look at how much two profiles have in common: invented ones are made from one mould.',
          ),
        ]),
  })
}

async function gradeSlipped({ task, artefact, trusted }: Submission<Variant>) {
  const profiles = profilesOf(changesIn(artefact))
  const row = budgetRow(profiles)
  if (!row.satisfied) return overBudget(row)
  const dataset = await trusted.dataset(task.dataset)
  const { target, filter } = task.shop!
  const clean = await before(task, dataset, trusted)
  const after = await recommended(task.shop!, dataset, { profiles }, run)
  const first = honestShoppers(task.shop!, dataset).length
  const caught = after.removed.filter((shopper) => shopper >= first).length
  const rows = [
    atLeast(slippedBar, {
      id: 'exposure',
      name: 'Honest shoppers who are shown the item',
      detail: `${said(clean.exposure)} before; the filter left out ${caught} of your ${profiles.length}`,
      measured: points(after.exposure),
      unit: '%',
      precision: 1,
      scaleMax: 60,
    }),
    movedRow(clean.hitRate, after.hitRate),
    row,
  ]
  const { praised, popularity, usual } = looks(profiles, target, dataset)
  const fell = `The filter left out ${caught} of your ${counted(profiles.length, 'profile')}, and ${said(after.exposure)} of the honest shoppers are shown item ${target}; ${slippedBar} % are needed.`
  return conclude({
    headline: `Past the filter, item ${target} is in the lists of ${percent(after.exposure)} of the honest shoppers`,
    rows,
    score: { value: points(after.exposure), unit: '%' },
    finding: rows.every(({ satisfied }) => satisfied)
      ? finding(
          'slipped',
          'The filter counts what you have, the shop what you like.',
          `The filter left out ${caught} of your ${profiles.length}. Item ${target} went from ${said(clean.exposure)} to ${said(after.exposure)} of the lists, and the hit rate moved by ${rows[1]!.measured.toFixed(1)} points.`,
          'a defence that looks at one thing invites an attack on another. What would you look at as well?',
        )
      : firstFinding([
          ...commonFaults(profiles, target, dataset),
          caught >= profiles.length / 2 &&
            finding(
              'all-alike',
              'Poured from one mould, and found.',
              `${fell} Their mean likeness to the ${filter!.neighbours} nearest exceeds ${filter!.above.toFixed(3)}.`,
              'let them have more in which they differ. The filter looks at which items a profile holds, and not at their stars.',
            ),
          rows[0]!.satisfied &&
            finding(
              'loud',
              'The shop gets worse, and somebody looks into it.',
              `The hit rate went from ${said(clean.hitRate)} to ${said(after.hitRate)}; ${movedBar} points pass for chance.`,
              'let each profile praise others of the popular items, or fewer of them.',
            ),
          finding(
            'thin',
            'Not found, and hardly heard.',
            `${fell} A profile praises ${praised.toFixed(1)} things beside the item, rated ${popularity.toFixed(0)} times on average, all items ${usual.toFixed(0)} times. Every profile has the same length for this shop: what you praise beside the popular takes from what you praise among it.`,
            'praise the popular, and fill in with what the shop does not count: one or two stars say nothing to it.',
          ),
        ]),
  })
}
