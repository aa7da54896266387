import { PerturbError } from '../core/errors.ts'
import type { Verdict } from '../grading/verdict.ts'

/** What to show for an error: its own words when it is one of ours, else what it means for the learner. */
export function sentenceOf(error: unknown): string {
  if (error instanceof PerturbError) return error.message
  if (error instanceof DOMException && error.name === 'QuotaExceededError') {
    return 'This browser has no room left for your work. It is kept in this tab; save the evidence file now.'
  }
  if (error instanceof Error) return error.message
  return String(error)
}

/** The verdict when the referee itself failed: the artefact is kept, and nothing counts against the learner. */
export function unmeasured(error: unknown): Verdict {
  return {
    status: 'unavailable',
    headline: 'This attempt could not be measured',
    rows: [],
    finding: {
      id: 'unavailable',
      title: 'The referee did not answer',
      cause: `${sentenceOf(error)} What you handed in is kept and does not count as a failed attempt.`,
      next: 'Next: measure it again.',
    },
  }
}
