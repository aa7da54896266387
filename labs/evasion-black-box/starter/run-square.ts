import { data, oracle, progress, submit, task, tf } from 'lab'
import { square, type Face } from './square'

// The faces of your variant, all read rightly until now.
const { ids, x, y } = await data.sample()
const pixels = await x.data()
const width = pixels.length / ids.length

const changed = new Float32Array(pixels.length)
let asked = 0
for (const [i, label] of y.entries()) {
  /** How far the right name leads, in log probability. One question to the gate. */
  const score = async (face: Face) => {
    asked++
    const picture = tf.tensor(face, [1, ...oracle.inputShape])
    const scores = await oracle.scores(picture)
    const p = Array.from(await scores.data(), (probability) => Math.log(Math.max(probability, 1e-30)))
    tf.dispose([picture, scores])
    return p[label]! - Math.max(...p.filter((_, name) => name !== label))
  }
  const face = Float32Array.from(pixels.slice(i * width, (i + 1) * width))
  changed.set(await square(score, face, task.epsilon, Number(task.queries)), i * width)
  progress(i + 1, ids.length)
}
console.log(`${asked} questions for ${ids.length} faces`)

await submit({ ids, x: tf.tensor(changed, x.shape) })
