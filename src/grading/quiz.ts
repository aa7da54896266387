import { counted, finding } from './findings.ts'
import type { CheckpointGrader } from './grader.ts'
import { atLeast, conclude, rejected } from './rows.ts'

/** What grading needs of a compiled guide's quiz: which options are right. */
export interface QuizKey {
  id: string
  checkpoint?: string
  options: readonly { id: string; right: boolean }[]
}

/** A checkpoint whose artefact is the learner's answers; right means exactly the right options. */
export function quizCheckpoint<V>(checkpoint: string, quizzes: readonly QuizKey[]): CheckpointGrader<V> {
  const own = quizzes.filter((quiz) => (quiz.checkpoint ?? quiz.id) === checkpoint)
  if (own.length === 0)
    throw new RangeError(`quizCheckpoint: the guide has no quiz for checkpoint "${checkpoint}"`)
  return {
    accepts: 'answer',
    task: () => ({
      victim: { model: '' },
      dataset: '',
      split: 'test',
      ids: [],
      labels: [],
      values: { questions: own.length },
    }),
    async grade({ artefact }) {
      if (artefact.kind !== 'answer') throw new TypeError(`quizCheckpoint: got ${artefact.kind}`)
      const { choices } = artefact
      for (const quiz of own) {
        const unknown = (choices[quiz.id] ?? []).find(
          (option) => !quiz.options.some(({ id }) => id === option),
        )
        if (unknown !== undefined) {
          return rejected(
            `"${unknown}" is no option of the question "${quiz.id}".`,
            'Next: choose an option on the page and hand it in again.',
          )
        }
      }
      const right = own.filter((quiz) => {
        const chosen = new Set(Object.hasOwn(choices, quiz.id) ? choices[quiz.id] : [])
        return quiz.options.every((option) => option.right === chosen.has(option.id))
      })
      const open = own.filter((quiz) => !Object.hasOwn(choices, quiz.id) || choices[quiz.id]!.length === 0)
      const row = atLeast(own.length, {
        id: 'right-answers',
        name: 'Right answers',
        detail: `${right.length} of ${counted(own.length, 'question')}`,
        measured: right.length,
        precision: 0,
        scaleMax: own.length,
        hard: true,
      })
      return conclude({
        headline: `${right.length} of ${counted(own.length, 'question')} right`,
        rows: [row],
        score: { value: (100 * right.length) / own.length, unit: '%' },
        finding: row.satisfied
          ? finding(
              'right',
              'That is the reason.',
              `${right.length} of ${counted(own.length, 'answer')} agree with the derivation.`,
              'go on; the reply under each option says why the others are not.',
            )
          : open.length > 0
            ? finding(
                'unanswered',
                'A question is still open.',
                `${counted(open.length, 'question')} of ${own.length} without an answer.`,
                'choose an option; a wrong one costs nothing and is explained.',
              )
            : finding(
                'wrong-answer',
                'Not this one.',
                `${own.length - right.length} of ${counted(own.length, 'answer')} does not follow.`,
                'read the reply under your option, look at the picture in Explore again, and choose anew.',
              ),
      })
    },
  }
}
