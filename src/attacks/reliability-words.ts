/** The signs of an unreliable evaluation, as data and words alone, so that a page can show them without tensors. */
export const flagIds = [
  'zero-gradient',
  'probabilities',
  'random-output',
  'black-box-wins',
  'no-better-than-random',
] as const
export type FlagId = (typeof flagIds)[number]

export interface ReliabilityFlag {
  id: FlagId
  /** A share from 0 to 1; of what, `flagWords` says. */
  measured: number
  /** Raised when more (for no-better-than-random: less) than this. */
  limit: number
  raised: boolean
}

/** What each flag is called, and what its figure is a share of. */
export const flagWords: Readonly<Record<FlagId, { title: string; figure: string }>> = {
  'zero-gradient': {
    title: 'The gradient is zero',
    figure: 'images whose gradient is exactly 0 in every pixel',
  },
  probabilities: {
    title: 'Probabilities are given as logits',
    figure: 'images whose outputs lie in [0, 1] and sum to 1',
  },
  'random-output': {
    title: 'The output changes by chance',
    figure: 'images with another output when asked again',
  },
  'black-box-wins': {
    title: 'A black-box attack beats the white-box attacks',
    figure: 'images that withstood every gradient and fell to an attack without one',
  },
  'no-better-than-random': {
    title: 'The attack is no better than its random start',
    figure: 'images misread after the attack and not yet at its random starting point',
  },
}
