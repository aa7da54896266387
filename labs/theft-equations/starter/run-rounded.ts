import { data, oracle, submit, task, tf } from 'lab'
import { questions } from './rounded'
import { solve, type Copy, type Patient } from './steal'

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
const answers = Array.from(await scores.data()).filter((_, i) => i % 2 === 1)
console.log(
  `${asked.length} questions of ${task.queries}; the first answers: ${answers
    .slice(0, 8)
    .map((p) => p.toFixed(2))
    .join(', ')}`,
)
const edge = answers.filter((p) => p < 0.005 || p > 0.995).length
if (edge > 0) console.log(`${edge} answers are 0.00 or 1.00: their log-odds lie beyond the last digit`)

const stolen = solve(asked, answers) as Partial<Copy> | undefined
if (stolen?.weights?.length !== d || typeof stolen.bias !== 'number')
  throw new Error(
    `solve must return { weights, bias }, ${d} weights and a number; got ${stolen?.weights?.length ?? 'no'} weights and bias ${stolen?.bias}.`,
  )
const { weights, bias } = stolen
await submit({ weights: { weights, bias } })
