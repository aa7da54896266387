/**
 * The likeliest class alone, with its probability or without: the others are told as 0. Tramèr et al. 2016, §6–7,
 * arXiv:1609.02943. It costs a thief questions and no accuracy: copycat needs no probability at all.
 */
import { indexOfMax } from '../../core/rows.ts'
import type { AnswerEntry } from '../answer.ts'

type TopOneOptions = { tell: string }

export const entry: AnswerEntry<TopOneOptions> = {
  id: 'top-one',
  title: 'Top class only',
  summary: 'One class is named; how near the others came stays hidden.',
  paper: { cite: 'Tramèr et al. 2016', url: 'https://arxiv.org/abs/1609.02943' },
  random: false,
  defaults: { tell: 'probability' },
  parameters: [
    {
      kind: 'choice',
      name: 'tell',
      label: 'With it',
      help: 'Whether the class comes with its probability. Of two classes that is everything there is to tell.',
      choices: [
        { value: 'probability', label: 'its probability' },
        { value: 'label', label: 'nothing' },
      ],
    },
  ],
  check: () => undefined,
  answer: (row, { tell }) => {
    const told = new Float32Array(row.length)
    const top = indexOfMax(row)
    told[top] = tell === 'label' ? 1 : row[top]!
    return told
  },
}
