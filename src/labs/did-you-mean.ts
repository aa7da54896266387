/** `; did you mean "fooled"?` for a name nobody knows, or the list of names when none is near. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  const near = nearest(wrong, known)
  if (near) return `; did you mean "${near}"?`
  if (known.length === 0) return '; there are none'
  const shown = known.slice(0, 12)
  return `; known: ${shown.join(', ')}${known.length > shown.length ? ` and ${known.length - shown.length} more` : ''}`
}

/** The known name at most one edit away (two for longer names, three for long ones), or none. */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  const allowed = wrong.length > 8 ? 3 : wrong.length > 3 ? 2 : 1
  let best: string | undefined
  let bestDistance = allowed + 1
  for (const name of known) {
    const distance = edits(wrong.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance) {
      bestDistance = distance
      best = name
    }
  }
  return best
}

/** Edits between two words: insert, delete, replace, swap neighbours (optimal string alignment). */
function edits(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(Math.min(replaced, last[j]! + 1, row[j - 1]! + 1, isSwap ? beforeLast[j - 2]! + 1 : Infinity))
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
