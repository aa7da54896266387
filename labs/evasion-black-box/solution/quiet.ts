/** An account with no more questions than the watch has neighbours is never compared at all. */
export function whoAsks(question: number, neighbours: number, accounts: number): number {
  return Math.floor(question / neighbours) % accounts
}
