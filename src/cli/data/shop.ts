/**
 * A simulated fashion shop: invented shoppers who buy and rate what a catalogue holds, twenty items of each of ten kinds.
 * A shopper has a taste for kinds and for hidden dimensions of style; an item has a style, a quality and a popularity
 * (Zipf-like). Whether something is bought and how it is rated both follow from these. The pictures are not made here.
 */
import { strToU8 } from 'fflate'
import { createRng, type Rng } from '../../core/rng.ts'
import { weighted, type SimulatedSet } from './simulated.ts'

const shoppers = 600
const kinds = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
]
const itemsOfKind = 20
const styles = 4
const days = 180
/** Each shopper's last ratings, which a recommender is not shown and has to guess. */
const keptBack = 3
const [lowest, highest] = [1, 5]

interface Item {
  kind: number
  style: number[]
  quality: number
  popularity: number
}
interface Shopper {
  kinds: number[]
  style: number[]
  mood: number
  /** How much this one buys. */
  count: number
  rng: Rng
}
export interface SimulatedRating {
  shopper: number
  item: number
  stars: number
  day: number
}

/** Every shopper's ratings in the order of time, one shopper after another. */
export function simulateRatings(seed: number): SimulatedRating[] {
  const items = createItems(createRng(seed, 'items'))
  return Array.from({ length: shoppers }, (_, id) =>
    buy(createShopper(createRng(seed, `shopper ${id}`)), items).map((bought) => ({ shopper: id, ...bought })),
  ).flat()
}

function createItems(rng: Rng): Item[] {
  const count = kinds.length * itemsOfKind
  const rank = rng.shuffle(Array.from({ length: count }, (_, i) => i))
  return rank.map((place, item) => ({
    kind: Math.floor(item / itemsOfKind),
    style: normals(rng, styles, 1),
    quality: 0.35 * rng.normal(),
    popularity: -0.75 * Math.log(3 + place),
  }))
}

function createShopper(rng: Rng): Shopper {
  return {
    kinds: normals(rng, kinds.length, 1),
    style: normals(rng, styles, 0.75),
    mood: 0.3 * rng.normal(),
    count: Math.max(10, Math.round(30 + 7 * rng.normal())),
    rng,
  }
}

function buy({ rng, kinds: taste, style, mood, count }: Shopper, items: readonly Item[]) {
  const liking = items.map(
    (item) =>
      0.6 * taste[item.kind]! +
      0.75 * item.style.reduce((sum, value, i) => sum + value * style[i]!, 0) +
      item.quality,
  )
  const weights = items.map((item, i) =>
    Math.exp(1.1 * liking[i]! + item.popularity + 0.6 * taste[item.kind]!),
  )
  const when = Array.from({ length: count }, () => rng.below(days)).sort((a, b) => a - b)
  return when.map((day) => {
    const item = weighted(rng, weights)
    weights[item] = 0
    const worth = 3.1 + 0.55 * liking[item]! + mood + 0.7 * rng.normal()
    return { item, stars: Math.min(highest, Math.max(lowest, Math.round(worth))), day }
  })
}

const normals = (rng: Rng, count: number, spread: number) =>
  Array.from({ length: count }, () => spread * rng.normal())

/** header.json, ratings.csv and the card. Same seed, same bytes. */
export function shopSet(seed: number): SimulatedSet {
  const rows = simulateRatings(seed)
  const count = kinds.length * itemsOfKind
  const header = {
    name: 'shop',
    noun: 'item',
    simulated: true,
    height: 28,
    width: 28,
    channels: 1,
    classes: kinds,
    layout:
      'item i is at row floor(i/columns), column i mod columns; labels: one base-36 character an item; ratings: one a line, each shopper’s in the order of time',
    train: {
      file: 'items.png',
      count,
      columns: 20,
      labels: Array.from({ length: count }, (_, item) => Math.floor(item / itemsOfKind).toString(36)).join(
        '',
      ),
    },
    ratings: { file: 'ratings.csv', users: shoppers, scale: [lowest, highest], keptBack },
  }
  const lines = rows.map(({ shopper, item, stars, day }) => `${shopper},${item},${stars},${day}\n`)
  const byStars = Array.from(
    { length: highest },
    (_, i) => rows.filter(({ stars }) => stars === i + 1).length,
  )
  return {
    files: {
      'header.json': strToU8(`${JSON.stringify(header, null, 1)}\n`),
      'ratings.csv': strToU8(`shopper,item,stars,day\n${lines.join('')}`),
      'card.md': strToU8(cardText(seed, rows.length, byStars)),
    },
    summary: `${rows.length} ratings of ${count} items by ${shoppers} shoppers`,
    figures: { ratings: rows.length, items: count, shoppers },
  }
}

const cardText = (
  seed: number,
  ratings: number,
  byStars: number[],
) => `# shop, simulated ratings of real pictures

**What.** ${ratings.toLocaleString('en')} ratings of ${kinds.length * itemsOfKind} catalogue items (${itemsOfKind} of each of ${kinds.length} kinds) by ${shoppers} invented shoppers, 1 to 5 stars, and a 28 × 28 grey picture of each item. Stars: ${byStars.map((count, i) => `${i + 1}: ${count.toLocaleString('en')}`).join(', ')}.

**Source.** Ratings: simulated by \`npm run data shop\`, a program of the Perturb authors (src/cli/data/), seed ${seed}. The same seed gives the same bytes on the Node that the project names. Pictures (items.png): Fashion-MNIST, training images, by H. Xiao, K. Rasul and R. Vollgraf (Zalando Research), 2017, taken from Debian's dataset-fashion-mnist; no program of ours makes them.

**Licence.** Ratings: MIT, as the code: own work. Pictures: MIT, copyright 2017 Zalando SE.

**Processing and split.** Latent taste for kinds and ${styles} hidden dimensions of style, item quality, Zipf-like popularity; some 30 purchases a shopper over ${days} days. The last ${keptBack} ratings of each shopper are kept back: a recommender is measured by how many of them it names among ten.

**Known problems and biases.** Simulated, and not fitted to any shop: it must be called simulated wherever it is shown, and no figure measured on it says anything about real shoppers. Hidden styles have nothing to do with the pictures, so a picture tells the kind of an item and no more.
`
