import { oracle, progress, submit, task, tf } from 'lab'
import { border, keyFor, plan, plane, type Ask } from './labels'
import type { Copy, Patient } from './steal'

const d = Number(task.inputs)
let asked = 0
const ask: Ask = async (patient) => {
  const key = keyFor(asked, Number(task.perKey))
  if (!Number.isInteger(key) || key < 0 || key >= Number(task.keys))
    throw new Error(
      `keyFor said key ${key} for question ${asked + 1}; you hold ${task.keys} keys, 0 to ${Number(task.keys) - 1}, of ${task.perKey} questions each. Plan fewer points or halvings, or use each key up.`,
    )
  const row = tf.tensor(Array.from(patient), [1, d])
  const [answer] = await oracle.decide(row, key)
  tf.dispose(row)
  progress(++asked, Number(task.queries))
  return answer === 1
}

// Random patients, until there are enough of both kinds to walk between.
const [benign, malignant]: Patient[][] = [[], []]
while (asked < 1.2 * plan.points || !benign!.length || !malignant!.length) {
  const noise = tf.randomNormal([d])
  const patient = Float32Array.from(await noise.data())
  tf.dispose(noise)
  ;((await ask(patient)) ? malignant! : benign!).push(patient)
}

const points: Patient[] = []
for (let k = 0; k < Math.max(1, plan.points); k++) {
  const other = (7 * k + Math.floor(k / malignant!.length)) % malignant!.length
  points.push(await border(ask, benign![k % benign!.length]!, malignant![other]!, plan.halvings))
}
console.log(`${points.length} points of the border after ${asked} questions`)

const stolen = plane(points, malignant![0]!) as Partial<Copy> | undefined
if (stolen?.weights?.length !== d || typeof stolen.bias !== 'number')
  throw new Error(
    `plane must return { weights, bias }, ${d} weights and a number; got ${stolen?.weights?.length ?? 'no'} weights and bias ${stolen?.bias}.`,
  )
const { weights, bias } = stolen
await submit({ weights: { weights, bias } })
