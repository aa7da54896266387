// finding: never-rings
// checkpoint: watched
export interface Rule {
  neighbours: number
  threshold: number
}

/** Only who shows the very same picture again and again is suspicious. */
export function settle(): Rule {
  return { neighbours: 8, threshold: 1e-4 }
}
