// finding: saturated
// checkpoint: rounded
type Patient = ArrayLike<number>

/** The longer the step, the larger the difference. */
export function questions(d: number, _known: Patient[]): Patient[] {
  return Array.from({ length: d + 1 }, (_, row) =>
    Float32Array.from({ length: d }, (_, i) => (i === row - 1 ? 12 : 0)),
  )
}
