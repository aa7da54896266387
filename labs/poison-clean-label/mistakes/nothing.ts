// finding: nothing-dropped
// checkpoint: sifted
export interface Seen {
  ids: number[]
  y: number[]
  features: Float32Array[]
}

/** Finds every picture in order. */
export function sift({ ids }: Seen): number[] {
  return ids.filter((id) => id < 0)
}
