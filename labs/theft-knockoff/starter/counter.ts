/** How the API answers from now on. */
export interface Counter {
  /** Decimals that are told of each probability, from 0 to 6. */
  decimals: number
  /** A picture whose largest probability is below this is answered with a lie: the order of the classes upside down. */
  sure: number
}

/**
 * Sets the counter, from what customers and strangers look like.
 *
 * @param customers the largest of the ten probabilities, for each digit that customers sent
 * @param strangers the same, of a stream that nobody can explain
 */
export function settle(customers: number[], strangers: number[]): Counter {
  const below = (list: number[], p: number) => list.filter((value) => value < p).length
  for (const p of [0.3, 0.5, 0.7, 0.9])
    console.log(
      `below ${p}: ${below(customers, p)} of ${customers.length} customers, ${below(strangers, p)} of ${strangers.length} strangers`,
    )
  // Yours: decimals that customers can live with, and a threshold that mostly strangers feel.
  throw new Error(
    'settle is not written yet. First try: sort the customers. Below which probability lie three in a hundred of them?',
  )
}
