import type { SimulatedTable } from './table.ts'
import { simulateTransactions } from './transactions.ts'

/** How a simulated set comes about; `npm run data` writes it. */
export interface Generator {
  /** Its draws begin here; another seed makes another set of the same kind. */
  seed: number
  simulate(seed: number): SimulatedTable
  /** For the card: what it is, how it came about, and what must not be concluded from it. */
  card: { what: string; processing: string; knownProblems: string }
}

/** By the name of the folder in static/data/. */
export const generators: Readonly<Record<string, Generator>> = {
  transactions: {
    seed: 20261122,
    simulate: simulateTransactions,
    card: {
      what: 'Payments of 1,270 invented customers at 397 invented merchants over eight weeks, some of them fraud: 15 numbers a payment, each in 8 bits between the limits that header.json states.',
      processing:
        'Every feature is computed from the payment and its customer’s past alone. Weeks 1 to 6 are for training, 7 and 8 for testing, in the order of time. Four kinds of fraud: card testing, travel, night shopping, and a quiet kind that is meant to be hard.',
      knownProblems:
        'Simulated, and not fitted to any bank: it must be called simulated wherever it is shown, and no figure measured on it says anything about real cards. In the first week every merchant is new to its customer.',
    },
  },
}
