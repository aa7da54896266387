/**
 * Seeded randomness. Same seed, same numbers, everywhere: integer arithmetic only, so no Math.exp
 * whose last digit differs between engines. sfc32 (Chris Doty-Humphrey, PractRand 2010), seeded by
 * splitmix-style mixing of a 32-bit seed and a stream name.
 */
export interface Rng {
  /** Uniform integer in [0, 2^32). */
  uint32(): number
  /** Uniform in [0, 1), 24 bits: exactly representable in float32. */
  uniform(): number
  /** Uniform integer in [0, n). */
  below(n: number): number
  /** Standard normal by the sum of twelve uniforms: bounded at ±6, exact on every platform. */
  normal(): number
  /** Fisher-Yates, in place. */
  shuffle<T extends { length: number; [i: number]: unknown }>(items: T): T
  /** An independent generator; the name separates streams of one seed. */
  fork(name: string): Rng
}

function hash(seed: number, name: string): number {
  let h = (seed ^ 0x9e3779b9) >>> 0
  for (let i = 0; i < name.length; i++) {
    h = Math.imul(h ^ name.charCodeAt(i), 0x01000193) >>> 0
    h ^= h >>> 15
  }
  return h >>> 0
}

export function createRng(seed: number, stream = ''): Rng {
  let state = hash(seed >>> 0, stream)
  const mix = () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  // In a typed array the four words stay bare integers; as numbers above 2^31 each would be boxed at every step.
  const words = Int32Array.of(mix(), mix(), mix(), 1)
  const uint32 = () => {
    const b = words[1]!
    const c = words[2]!
    const d = words[3]!
    const t = (words[0]! + b + d) | 0
    words[0] = b ^ (b >>> 9)
    words[1] = c + (c << 3)
    words[2] = ((c << 21) | (c >>> 11)) + t
    words[3] = d + 1
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) uint32()
  const uniform = () => (uint32() >>> 8) / 0x1000000
  const below = (n: number) => Math.floor(uniform() * n)
  return {
    uint32,
    uniform,
    below,
    normal() {
      let sum = -6
      for (let i = 0; i < 12; i++) sum += uniform()
      return sum
    },
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const kept = items[i]
        items[i] = items[j]
        items[j] = kept
      }
      return items
    },
    fork: (name) => createRng(seed, `${stream}/${name}`),
  }
}
