/**
 * A simulated stream of card payments with fraud in it: invented customers, merchants and cities on a map of
 * 600 × 600 km. Nothing comes from a bank. Weeks 1 to 6 are for training, weeks 7 and 8 for testing.
 *
 * Kinds of fraud: `testing` (a burst of tiny payments on line, then a large one), `travel` (card present far away
 * soon after a payment at home), `night` (dear electronics and gift cards on line, at night), `quiet` (looks like the
 * customer, a little dearer: meant to be hard). Honest customers look alike at times: holidays, night owls, bursts of
 * small payments for games.
 */
import { createRng, type Rng } from '../../core/rng.ts'
import type { Feature } from '../../data/data-set.ts'
import { weighted } from './simulated.ts'
import type { SimulatedTable } from './table.ts'

const weeks = 8
const trainingWeeks = 6
const customers = 1270
const episodes = 610
const day = 1440

const categories = [
  { name: 'grocery', share: 0.28, logPrice: 3.2, spread: 0.6, online: 0.05, merchants: 60 },
  { name: 'fuel', share: 0.09, logPrice: 3.8, spread: 0.35, online: 0, merchants: 35 },
  { name: 'restaurant', share: 0.17, logPrice: 3.0, spread: 0.6, online: 0.15, merchants: 80 },
  { name: 'fashion', share: 0.1, logPrice: 3.9, spread: 0.6, online: 0.5, merchants: 50 },
  { name: 'electronics', share: 0.05, logPrice: 4.9, spread: 0.8, online: 0.55, merchants: 30 },
  { name: 'giftcards', share: 0.03, logPrice: 3.9, spread: 0.7, online: 0.8, merchants: 12 },
  { name: 'digital', share: 0.12, logPrice: 2.1, spread: 0.7, online: 1, merchants: 30 },
  { name: 'travel', share: 0.05, logPrice: 5.0, spread: 0.8, online: 0.7, merchants: 25 },
  { name: 'pharmacy', share: 0.07, logPrice: 2.8, spread: 0.6, online: 0.1, merchants: 35 },
  { name: 'cash', share: 0.04, logPrice: 4.3, spread: 0.5, online: 0, merchants: 40 },
] as const
type CategoryName = (typeof categories)[number]['name']
const indexOf = (name: CategoryName) => categories.findIndex((category) => category.name === name)

/** What a bank knows when the payment is made, from it and the customer's past alone. 8 bits from low to high. */
const features: Feature[] = [
  { name: 'amount', title: 'Amount', unit: '€', scale: 'log1p', low: 1, high: 6.5 },
  { name: 'amount-z', title: 'Amount against the usual', unit: 'σ', scale: 'linear', low: -2, high: 3 },
  { name: 'hour-sin', title: 'Hour (sine)', scale: 'linear', low: -1, high: 1 },
  { name: 'hour-cos', title: 'Hour (cosine)', scale: 'linear', low: -1, high: 1 },
  { name: 'weekend', title: 'Weekend', scale: 'flag', low: 0, high: 1 },
  { name: 'online', title: 'Online', scale: 'flag', low: 0, high: 1 },
  { name: 'resale-goods', title: 'Electronics or gift cards', scale: 'flag', low: 0, high: 1 },
  { name: 'digital-goods', title: 'Digital goods', scale: 'flag', low: 0, high: 1 },
  { name: 'km-home', title: 'From home', unit: 'km', scale: 'log1p', low: 0, high: 6.5 },
  { name: 'speed', title: 'Speed since the last place', unit: 'km/h', scale: 'log1p', low: 0, high: 6 },
  { name: 'gap', title: 'Since the last payment', unit: 'min', scale: 'log1p', low: 2, high: 9.5 },
  { name: 'count-1h', title: 'Payments in the hour before', scale: 'linear', low: 0, high: 3 },
  { name: 'count-24h', title: 'Payments in the day before', scale: 'linear', low: 0, high: 6 },
  {
    name: 'spend-24h',
    title: 'Day’s spending against a usual payment',
    unit: '×',
    scale: 'log1p',
    low: 0,
    high: 4,
  },
  { name: 'new-merchant', title: 'New merchant', scale: 'flag', low: 0, high: 1 },
]

interface Place {
  x: number
  y: number
}
interface Merchant extends Place {
  id: number
  category: number
  online: boolean
}
interface Customer {
  home: Place
  /** Payments a day. */
  rate: number
  /** How dear this customer buys, added to the logarithm of a price. */
  spend: number
  online: number
  isNightOwl: boolean
  isGamer: boolean
  /** Weight of each category. */
  taste: number[]
  trip: { from: number; days: number; to: Place } | undefined
  favourites: Map<string, Merchant[]>
  rng: Rng
}
interface Payment {
  customer: number
  /** Minutes since the start of week 1, a Monday. */
  at: number
  merchant: Merchant
  amount: number
  isFraud: boolean
}

export function simulateTransactions(seed: number): SimulatedTable {
  const world = createWorld(createRng(seed, 'world'))
  const people = Array.from({ length: customers }, (_, id) =>
    createCustomer(createRng(seed, `customer ${id}`), world),
  )
  const honest = people.flatMap((customer, id) => honestPayments(customer, id, world))
  const payments = [...honest, ...frauds(createRng(seed, 'fraud'), people, honest, world)]
    .filter(({ at }) => at >= 0 && at < weeks * 7 * day)
    .sort((a, b) => a.at - b.at)
  const describe = observer(people)
  const rows = payments.map((payment) => ({
    values: describe(payment),
    label: payment.isFraud ? 1 : 0,
    split: payment.at < trainingWeeks * 7 * day ? ('train' as const) : ('test' as const),
  }))
  return { noun: 'payment', classes: ['honest', 'fraud'], features, rows }
}

interface World {
  cities: (Place & { size: number })[]
  merchants: Merchant[]
}

function createWorld(rng: Rng): World {
  const cities = Array.from({ length: 9 }, () => ({
    x: between(rng, 40, 560),
    y: between(rng, 40, 560),
    size: between(rng, 0.4, 2),
  }))
  const merchants: Merchant[] = []
  for (const [category, { merchants: count, online }] of categories.entries()) {
    for (let i = 0; i < count; i++) {
      const isOnline = rng.uniform() < online
      const place = near(
        rng,
        cities[
          weighted(
            rng,
            cities.map(({ size }) => size),
          )
        ]!,
        14,
      )
      merchants.push({ id: merchants.length, category, online: isOnline, ...place })
    }
  }
  return { cities, merchants }
}

function createCustomer(rng: Rng, { cities }: World): Customer {
  const home = near(
    rng,
    cities[
      weighted(
        rng,
        cities.map(({ size }) => size),
      )
    ]!,
    12,
  )
  return {
    home,
    rate: 0.25 + 0.25 * gamma(rng, 2),
    spend: 0.35 * rng.normal(),
    online: between(rng, -0.15, 0.25),
    isNightOwl: rng.uniform() < 0.12,
    isGamer: rng.uniform() < 0.1,
    taste: categories.map(({ share }) => share * gamma(rng, 3)),
    trip:
      rng.uniform() < 0.35
        ? {
            from: between(rng, 3, weeks * 7 - 6),
            days: between(rng, 2, 9),
            to: near(rng, pick(rng, cities), 10),
          }
        : undefined,
    favourites: new Map(),
    rng,
  }
}

function honestPayments(customer: Customer, id: number, world: World): Payment[] {
  const { rng, home, trip, isNightOwl } = customer
  const payments: Payment[] = []
  for (let today = 0; today < weeks * 7; today++) {
    const away = trip && today >= trip.from && today < trip.from + trip.days ? trip : undefined
    const expected = customer.rate * (away ? 1.6 : 1) * (isWeekend(today) ? 1.25 : 1)
    for (let n = poisson(rng, expected); n > 0; n--) {
      const category = weighted(rng, customer.taste)
      const { online, logPrice, spread } = categories[category]!
      const wantsOnline = rng.uniform() < (online === 0 ? 0 : online + customer.online)
      const merchant = shop(
        rng,
        world,
        category,
        wantsOnline,
        away?.to ?? home,
        away ? undefined : customer.favourites,
      )
      const at = today * day + minuteOfDay(rng, isNightOwl)
      const amount = cents(Math.exp(logPrice + customer.spend + spread * rng.normal()))
      payments.push({ customer: id, at, merchant, amount, isFraud: false })
      if (customer.isGamer && category === indexOf('digital') && rng.uniform() < 0.5) {
        for (let burst = 1 + rng.below(5); burst > 0; burst--)
          payments.push({
            customer: id,
            at: at + between(rng, 1, 25),
            merchant,
            amount: cents(between(rng, 0.99, 9)),
            isFraud: false,
          })
      }
    }
  }
  return payments
}

function frauds(rng: Rng, people: Customer[], honest: Payment[], world: World): Payment[] {
  const { cities } = world
  const atHome = new Map<number, Payment[]>()
  for (const payment of honest) {
    if (payment.merchant.online) continue
    const known = atHome.get(payment.customer)
    if (known) known.push(payment)
    else atHome.set(payment.customer, [payment])
  }
  const made: Payment[] = []
  const online = (names: CategoryName[]) => shop(rng, world, indexOf(pick(rng, names)), true, undefined)
  for (let episode = 0; episode < episodes; episode++) {
    const customer = rng.below(people.length)
    const victim = people[customer]!
    const today = rng.below(weeks * 7) * day
    const pay = (at: number, merchant: Merchant, amount: number) =>
      made.push({ customer, at, merchant, amount: cents(amount), isFraud: true })
    const kind = (['testing', 'travel', 'night', 'quiet'] as const)[weighted(rng, [0.65, 1.1, 1.6, 0.8])]!
    if (kind === 'testing') {
      let at = today + between(rng, 0, day)
      for (let n = 2 + rng.below(4); n > 0; n--) {
        pay(at, online(['digital', 'giftcards']), between(rng, 0.5, 6))
        at += between(rng, 0.5, 6)
      }
      if (rng.uniform() < 0.7)
        pay(
          at + between(rng, 5, 90),
          online(['electronics', 'giftcards', 'fashion']),
          Math.exp(5.2 + 0.6 * rng.normal()),
        )
    } else if (kind === 'travel') {
      const recent = (atHome.get(customer) ?? []).filter(({ at }) => Math.abs(at - today) < 3 * day)
      const far = cities.filter((city) => distance(city, victim.home) > 150)
      const place = near(rng, pick(rng, far.length > 0 ? far : cities), 8)
      let at = (recent.length > 0 ? pick(rng, recent).at : today + 900) + between(rng, 20, 150)
      for (let n = 1 + rng.below(3); n > 0; n--) {
        const category = indexOf(pick<CategoryName>(rng, ['electronics', 'cash', 'fashion', 'fuel']))
        pay(at, shop(rng, world, category, false, place), Math.exp(4.6 + 0.7 * rng.normal()))
        at += between(rng, 8, 90)
      }
    } else if (kind === 'night') {
      let at = today + between(rng, 0, 300)
      for (let n = 1 + rng.below(2); n > 0; n--) {
        pay(at, online(['electronics', 'electronics', 'giftcards']), Math.exp(5.9 + 0.6 * rng.normal()))
        at += between(rng, 4, 60)
      }
    } else {
      const category = weighted(rng, victim.taste)
      const merchant = shop(rng, world, category, rng.uniform() < 0.6, victim.home)
      const logPrice = categories[category]!.logPrice + victim.spend + 0.6 + 0.6 * rng.normal()
      pay(today + minuteOfDay(rng, victim.isNightOwl), merchant, Math.exp(logPrice))
    }
  }
  return made
}

/** A merchant of the category: a favourite two times in three, else one on line or one that is near. */
function shop(
  rng: Rng,
  world: World,
  category: number,
  online: boolean,
  at: Place | undefined,
  favourites?: Map<string, Merchant[]>,
): Merchant {
  const key = `${category} ${online}`
  const known = favourites?.get(key) ?? []
  if (known.length > 0 && rng.uniform() < 0.65) return pick(rng, known)
  const offers = world.merchants.filter((one) => one.category === category && one.online === online)
  if (offers.length === 0) return shop(rng, world, category, !online, at ?? { x: 300, y: 300 }, favourites)
  const merchant =
    online || !at
      ? pick(rng, offers)
      : offers[
          weighted(
            rng,
            offers.map((one) => Math.exp(-distance(one, at) / 15) + 1e-7),
          )
        ]!
  if (known.length < 4) favourites?.set(key, [...known, merchant])
  return merchant
}

/** Morning, noon, evening, late evening, night: the middle of each in minutes, its spread and its weight. */
function minuteOfDay(rng: Rng, isNightOwl: boolean): number {
  const times = [
    [510, 60],
    [765, 70],
    [1080, 110],
    [1250, 80],
    [60, 110],
  ] as const
  const [middle, spread] = times[weighted(rng, [1, 2, 3, 1, isNightOwl ? 2 : 0.12])]!
  return (((middle + spread * rng.normal()) % day) + day) % day
}

/** Turns payments, given in the order of time, into features; it remembers each customer's past. */
function observer(people: readonly Customer[]): (payment: Payment) => number[] {
  const memory = new Map<number, ReturnType<typeof noPast>>()
  const noPast = (home: Place) => ({
    count: 0,
    mean: 3.3,
    squares: 1,
    seen: new Set<number>(),
    recent: [] as { at: number; amount: number }[],
    place: home,
    placeAt: -Infinity,
    last: -3 * day,
  })
  return ({ customer, at, merchant, amount }) => {
    const { home } = people[customer]!
    const past = memory.get(customer) ?? noPast(home)
    memory.set(customer, past)
    const logAmount = Math.log1p(amount)
    const deviation = Math.sqrt((past.squares + 5) / (past.count + 5))
    const angle = ((at % day) / day) * 2 * Math.PI
    past.recent = past.recent.filter((one) => at - one.at < day)
    const spent = past.recent.reduce((sum, one) => sum + one.amount, 0)
    const hours = Math.max(0.25, (at - past.placeAt) / 60)
    const { online, category } = merchant
    const values = [
      logAmount,
      (logAmount - past.mean) / deviation,
      Math.sin(angle),
      Math.cos(angle),
      isWeekend(Math.floor(at / day)) ? 1 : 0,
      online ? 1 : 0,
      category === indexOf('electronics') || category === indexOf('giftcards') ? 1 : 0,
      category === indexOf('digital') ? 1 : 0,
      online ? 0 : Math.log1p(distance(merchant, home)),
      online ? 0 : Math.log1p(distance(merchant, past.place) / hours),
      Math.log1p(at - past.last),
      past.recent.filter((one) => at - one.at < 60).length,
      past.recent.length,
      Math.log1p((spent + amount) / Math.expm1(past.mean)),
      past.seen.has(merchant.id) ? 0 : 1,
    ]
    const surprise = logAmount - past.mean
    past.mean += surprise / (past.count + 6)
    past.squares += surprise * (logAmount - past.mean)
    past.count++
    past.seen.add(merchant.id)
    past.recent.push({ at, amount })
    past.last = at
    if (!online) [past.place, past.placeAt] = [merchant, at]
    return values
  }
}

const isWeekend = (today: number) => today % 7 > 4
const cents = (amount: number) => Math.max(0.5, Math.round(amount * 100) / 100)
const distance = (a: Place, b: Place) => Math.hypot(a.x - b.x, a.y - b.y)
const between = (rng: Rng, low: number, high: number) => low + (high - low) * rng.uniform()
const pick = <T>(rng: Rng, list: readonly T[]) => list[rng.below(list.length)]!
const near = (rng: Rng, { x, y }: Place, spread: number): Place => ({
  x: x + spread * rng.normal(),
  y: y + spread * rng.normal(),
})

/** Gamma with a whole shape: the sum of that many exponential draws. */
function gamma(rng: Rng, shape: number): number {
  let sum = 0
  for (let i = 0; i < shape; i++) sum -= Math.log(1 - rng.uniform())
  return sum
}

/** By inversion; for small means. */
function poisson(rng: Rng, mean: number): number {
  let term = Math.exp(-mean)
  let below = term
  const level = rng.uniform()
  let count = 0
  while (level > below && count < 100) below += term *= mean / ++count
  return count
}
