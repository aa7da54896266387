// finding: account-closed
// checkpoint: unnoticed
/** One account for everything. */
export function whoAsks(): number {
  return 0
}
