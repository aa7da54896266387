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

/** What each flag is called, and its figure in words: “so many % of the images …”. */
export const flagWords: Readonly<Record<FlagId, { title: string; figure: string }>> = {
  'zero-gradient': {
    title: 'The gradient is zero',
    figure: 'have a gradient that is exactly 0 in every pixel',
  },
  probabilities: {
    title: 'Probabilities are given as logits',
    figure: 'have outputs that lie in [0, 1] and sum to 1',
  },
  'random-output': {
    title: 'The output changes by chance',
    figure: 'get another output when the model is asked again',
  },
  'black-box-wins': {
    title: 'A black-box attack beats the white-box attacks',
    figure: 'withstand every gradient and fall to an attack without one',
  },
  'no-better-than-random': {
    title: 'The attack is no better than its random start',
    figure: 'fall to the attack and not already to its random start',
  },
}
