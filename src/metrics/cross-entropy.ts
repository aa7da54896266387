import type { Labels } from '../core/classifier.ts'

/** Cross-entropy of each row of logits (N × classes), in plain numbers. */
export function crossEntropies(logits: Float32Array, labels: Labels, classes: number): Float32Array {
  return Float32Array.from({ length: labels.length }, (_, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes)
    const top = row.reduce((most, z) => Math.max(most, z), -Infinity)
    return top + Math.log(row.reduce((sum, z) => sum + Math.exp(z - top), 0)) - row[labels[i]!]!
  })
}
