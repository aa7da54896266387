// finding: customers-misled
// checkpoint: counter
/** How the API answers from now on. */
export interface Counter {
  /** Decimals that are told of each probability, from 0 to 6. */
  decimals: number
  /** A picture whose largest probability is below this is answered with a lie: the order of the classes upside down. */
  sure: number
}

/** Whatever is not certain is a thief. */
export function settle(customers: number[], strangers: number[]): Counter {
  console.log(`${customers.length} customers, ${strangers.length} strangers`)
  return { decimals: 2, sure: 0.9 }
}
