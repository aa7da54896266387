// finding: account-closed
// checkpoint: unnoticed
/** A new account for every fortieth question. */
export function whoAsks(question: number, neighbours: number, accounts: number): number {
  return Math.floor(question / (5 * neighbours)) % accounts
}
