import { exp, log } from './portable-math.ts'
import type { Rng } from './rng.ts'

/**
 * Normal noise for certificates and training: the ziggurat of Marsaglia & Tsang 2000 with 256 layers,
 * a layer chosen by bits of its own (Doornik 2005). The whole bell, tails included, unlike `rng.normal`,
 * which ends at six; and the same numbers in every engine, since its tables come from portable-math.ts.
 */

const layers = 256
/** Where the lowest layer ends and its tail begins, and the area of each layer. */
const tail = 3.6541528853610088
const area = 0.00492867323399

/** Right edges from the lowest layer up, and the bell's height there. */
const edges = new Float64Array(layers + 1)
const heights = new Float64Array(layers + 1)
const bell = (x: number) => exp(-0.5 * x * x)

edges[0] = area / bell(tail)
edges[1] = tail
for (let i = 2; i < layers; i++) edges[i] = Math.sqrt(-2 * log(area / edges[i - 1]! + bell(edges[i - 1]!)))
edges[layers] = 0
for (let i = 0; i <= layers; i++) heights[i] = bell(edges[i]!)

/** One standard normal number. */
export function gaussian(rng: Rng): number {
  for (;;) {
    const bits = rng.uint32()
    const layer = bits & 255
    // 24 bits, in the middle of their cell: never 0, and as many below as above.
    const u = ((bits >>> 8) + 0.5) / 0x800000 - 1
    const x = u * edges[layer]!
    if (Math.abs(x) < edges[layer + 1]!) return x
    if (layer === 0) return u < 0 ? -fromTail(rng) : fromTail(rng)
    if (heights[layer]! + rng.uniform() * (heights[layer + 1]! - heights[layer]!) < bell(x)) return x
  }
}

/** Beyond the lowest layer's edge (Marsaglia 1964). */
function fromTail(rng: Rng): number {
  for (;;) {
    const x = -log(rng.uniform() || 2 ** -25) / tail
    const y = -log(rng.uniform() || 2 ** -25)
    if (2 * y > x * x) return tail + x
  }
}

/** Adds noise of the given deviation to every number, in place. */
export function addNoise(values: Float32Array, deviation: number, rng: Rng): Float32Array {
  for (let i = 0; i < values.length; i++) values[i]! += deviation * gaussian(rng)
  return values
}
