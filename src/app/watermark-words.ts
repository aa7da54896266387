import type { MarkTrialResult } from '../engine/methods/mark-trial.ts'
import type { Suspect } from '../grading/watermark-trial.ts'

/** A p-value as one reads it: 0.45, 0.003, 1e-52. */
export function pWords(p: number): string {
  if (p >= 0.995) return '1'
  if (p >= 0.001) return String(Number(p.toPrecision(2)))
  return p > 0 ? `1e${Math.floor(Math.log10(p))}` : '0'
}

export const suspectWords: Record<Suspect['kind'], string> = {
  copied: 'copied file',
  'fine-tuned': 'copied, then fine-tuned',
  pruned: 'copied, then pruned by half',
  extracted: 'clone made of answers',
  innocent: 'innocent model',
}

export interface Judgement {
  name: string
  hits: number
  triggers: number
  pValue: number
  accuracy: number
  /** What the test says, and what is true. */
  accused: boolean
  guilty: boolean
}

/** Everybody who stands in court, and what the test says of them. */
export function judgements({ suspects, enough }: Pick<MarkTrialResult, 'suspects' | 'enough'>): Judgement[] {
  let innocents = 0
  return suspects.map(({ kind, ...figures }) => ({
    ...figures,
    name: kind === 'innocent' ? `${suspectWords[kind]} ${++innocents}` : suspectWords[kind],
    accused: enough !== undefined && figures.hits >= enough,
    guilty: kind !== 'innocent',
  }))
}

export const verdictWords = ({ accused, guilty }: Pick<Judgement, 'accused' | 'guilty'>): string =>
  accused ? (guilty ? 'proved' : 'accused, and innocent') : guilty ? 'escapes' : 'free'

/** The trial in a sentence. */
export function trialWords(result: MarkTrialResult): string {
  const all = judgements(result)
  const [stolen, innocent] = [all.filter(({ guilty }) => guilty), all.filter(({ guilty }) => !guilty)]
  const proved = stolen.filter(({ accused }) => accused).length
  const wrong = innocent.filter(({ accused }) => accused).length
  return `${proved} of ${stolen.length} stolen models proved, ${wrong} of ${innocent.length} innocent ones accused; from ${result.enough ?? 'no number of'} hits on, luck alone is below one in a million.`
}
