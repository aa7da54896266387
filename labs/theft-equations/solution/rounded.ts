import type { Patient } from './steal'

/** Two steps along each axis: long enough to be seen through the rounding, short enough not to saturate. */
export function questions(d: number, _known: Patient[]): Patient[] {
  return Array.from({ length: d + 1 }, (_, row) =>
    Float32Array.from({ length: d }, (_, i) => (i === row - 1 ? 2 : 0)),
  )
}
