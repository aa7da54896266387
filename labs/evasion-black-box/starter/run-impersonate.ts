import { data, oracle, progress, submit, task, tf } from 'lab'
import { wish } from './impersonate'
import { square, type Face } from './square'

// Faces of anybody but the person that your variant names.
const { ids, x } = await data.sample()
const pixels = await x.data()
const width = pixels.length / ids.length
console.log(`every one of them shall be read as ${task.name}`)

const changed = new Float32Array(pixels.length)
let asked = 0
for (const i of ids.keys()) {
  const score = async (face: Face) => {
    asked++
    const picture = tf.tensor(face, [1, ...oracle.inputShape])
    const scores = await oracle.scores(picture)
    const p = Array.from(await scores.data(), (probability) => Math.max(probability, 1e-30))
    tf.dispose([picture, scores])
    return wish(p, task.target)
  }
  const face = Float32Array.from(pixels.slice(i * width, (i + 1) * width))
  changed.set(await square(score, face, task.epsilon, Number(task.queries)), i * width)
  progress(i + 1, ids.length)
}
console.log(`${asked} questions for ${ids.length} faces`)

await submit({ ids, x: tf.tensor(changed, x.shape) })
