/** Training pictures as the model sees them. */
export interface Seen {
  ids: number[]
  /** The label of each. */
  y: number[]
  /** What the last layer reads of each: one list of numbers a picture. */
  features: Float32Array[]
}

/** How far two pictures lie from each other in the features (squared). */
export function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2
  return sum
}

/**
 * Finds pictures that do not belong with their label.
 * @returns the ids of those to drop
 */
export function sift({ ids, y, features }: Seen): number[] {
  const nearest = ids
    .map((_, i) => i)
    .filter((i) => i !== 0)
    .sort((a, b) => distance(features[0]!, features[a]!) - distance(features[0]!, features[b]!))
    .slice(0, 5)
  console.log(
    `Picture ${ids[0]} has the label ${y[0]}; its five nearest: ${nearest.map((i) => y[i]).join(', ')}`,
  )
  throw new Error('sift is not written yet: begin with the labels of the nearest pictures of each one')
}
