/**
 * Who asks the next question?
 *
 * @param question how many questions have been asked before, of all faces, from 0
 * @param neighbours how many earlier queries the watch looks at
 * @param accounts how many accounts you have
 * @returns the account that asks, a whole number from 0 to accounts − 1
 */
export function whoAsks(question: number, neighbours: number, accounts: number): number {
  if (question === 0) console.log(`${accounts} accounts, and a watch that looks at the ${neighbours} nearest`)

  // One account for everything: its questions are all alike, and the watch sees it. Yours: spread them.
  return 0
}
