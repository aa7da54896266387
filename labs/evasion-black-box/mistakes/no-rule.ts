// finding: no-rule
// checkpoint: watched
/** Every earlier question counts, so that nothing is missed. */
export function settle(): { neighbours: number; threshold: number } {
  return { neighbours: Number.MAX_SAFE_INTEGER, threshold: 1 }
}
