/** How the API answers from now on. */
export interface Counter {
  /** Decimals that are told of each probability, from 0 to 6. */
  decimals: number
  /** A picture whose largest probability is below this is answered with a lie: the order of the classes upside down. */
  sure: number
}

/** Seven customers in two hundred are lied to, whatever that does to strangers; rounding costs nobody anything. */
export function settle(customers: number[], strangers: number[]): Counter {
  const sorted = [...customers].sort((a, b) => a - b)
  const sure = sorted[Math.floor(0.035 * sorted.length)]!
  const felt = strangers.filter((p) => p < sure).length
  console.log(`below ${sure.toFixed(2)} lie ${felt} of ${strangers.length} strangers`)
  return { decimals: 2, sure }
}
