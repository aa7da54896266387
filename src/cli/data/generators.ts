import { shopSet } from './shop.ts'
import type { SimulatedSet } from './simulated.ts'
import { simulateTransactions } from './transactions.ts'
import { tableSet } from './write.ts'

/** How a simulated set comes about; `npm run data` writes it. */
export interface Generator {
  /** Its draws begin here; another seed makes another set of the same kind. */
  seed: number
  simulate(seed: number): SimulatedSet
  /** Files of the set that are not simulated: they stay, or are copied from static/, and are listed with the others. */
  kept?: readonly string[]
}

/** By the name of the folder in static/data/. */
export const generators: Readonly<Record<string, Generator>> = {
  shop: { seed: 20261122, simulate: shopSet, kept: ['items.png', 'LICENSE-pictures.txt'] },
  transactions: {
    seed: 20261122,
    simulate: (seed) =>
      tableSet('transactions', seed, simulateTransactions(seed), {
        what: 'Payments of 1,270 invented customers at 397 invented merchants over eight weeks, some of them fraud: 15 numbers a payment, each in 8 bits between the limits that header.json states.',
        processing:
          'Every feature is computed from the payment and its customer’s past alone. Weeks 1 to 6 are for training, 7 and 8 for testing, in the order of time. Four kinds of fraud: card testing, travel, night shopping, and a quiet kind that is meant to be hard.',
        knownProblems:
          'Simulated, and not fitted to any bank: it must be called simulated wherever it is shown, and no figure measured on it says anything about real cards. In the first week every merchant is new to its customer.',
      }),
  },
}
