// finding: timid
// checkpoint: rounded
type Patient = ArrayLike<number>

/** Steps so small that nobody notices, the answers included. */
export function questions(d: number, _known: Patient[]): Patient[] {
  return Array.from({ length: d + 1 }, (_, row) =>
    Float32Array.from({ length: d }, (_, i) => (i === row - 1 ? 0.01 : 0)),
  )
}
