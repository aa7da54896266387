// finding: too-dear
// checkpoint: sifted
export interface Seen {
  ids: number[]
  y: number[]
  features: Float32Array[]
}

/** Asks more neighbours than a class has pictures, so that every class is outvoted. */
export function sift({ ids, y, features }: Seen): number[] {
  return ids.filter((_, i) => {
    const near = features
      .map((other, j) => ({ j, far: j === i ? Infinity : distance(features[i]!, other) }))
      .sort((a, b) => a.far - b.far)
      .slice(0, 300)
    const votes = new Map<number, number>()
    for (const { j } of near) votes.set(y[j]!, (votes.get(y[j]!) ?? 0) + 1)
    return Math.max(...votes.values()) > (votes.get(y[i]!) ?? 0)
  })
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2
  return sum
}
