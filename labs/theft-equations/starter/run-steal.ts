import { data, oracle, submit, task, tf } from 'lab'
import { questions, solve, type Copy, type Patient } from './steal'

// A public table of other patients: whoever steals the model may look at it.
const { ids, x } = await data.sample()
const numbers = await x.data()
const d = numbers.length / ids.length
const known: Patient[] = ids.map((_, i) => numbers.slice(i * d, (i + 1) * d))

const asked = questions(d, known) as Patient[] | undefined
const ragged = asked?.findIndex((row) => row?.length !== d)
if (!asked?.length || ragged !== -1)
  throw new Error(
    `questions must return rows of ${d} numbers, [new Float32Array(${d})] for example; got ${asked?.length ? `${asked[ragged!]?.length} numbers in row ${ragged}` : 'no row'}.`,
  )
const scores = await oracle.scores(tf.tensor(asked.map((row) => Array.from(row))))
// Two probabilities a row; the second is P(malignant).
const answers = Array.from(await scores.data()).filter((_, i) => i % 2 === 1)
console.log(
  `${asked.length} questions of ${task.queries}; the first answers: ${answers
    .slice(0, 4)
    .map((p) => p.toFixed(6))
    .join(', ')}`,
)

const stolen = solve(asked, answers) as Partial<Copy> | undefined
if (stolen?.weights?.length !== d || typeof stolen.bias !== 'number')
  throw new Error(
    `solve must return { weights, bias }, ${d} weights and a number; got ${stolen?.weights?.length ?? 'no'} weights and bias ${stolen?.bias}.`,
  )
const { weights, bias } = stolen
console.log(
  `bias ${bias.toFixed(4)}, weights ${weights
    .slice(0, 4)
    .map((w) => w.toFixed(4))
    .join(', ')} …`,
)
await submit({ weights: { weights, bias } })
