// finding: past-the-border
// checkpoint: nearest
import { progress, tf, type Tensor, type Victim } from 'lab'

const steps = 20

/** From border to border, as if each were straight (Moosavi-Dezfooli et al. 2016, Alg. 2). */
export async function deepfool(victim: Victim, x: Tensor, y: number[]): Promise<Tensor> {
  const each = [y.length, 1, 1, 1]
  let total = tf.zerosLike(x)
  let adversarial = tf.clone(x)

  for (let step = 0; step < steps; step++) {
    // How far each class lies behind the right one; the right one itself is no border.
    const scores = (await (await victim.logits(adversarial)).array()) as number[][]
    const gaps = scores.map((row, i) => row.map((score, k) => (k === y[i] ? 1e9 : row[y[i]!]! - score)))
    const walking = gaps.map((row) => (Math.min(...row) > 0 ? 1 : 0))
    if (!walking.includes(1)) break

    let nearest = tf.fill([y.length], 1e9)
    let move = tf.zerosLike(x)
    for (let k = 0; k < victim.numClasses; k++) {
      const slope = await victim.vjp(adversarial, towards(k, y, victim.numClasses))
      const next = tf.tidy(() => {
        const gap = tf.tensor(gaps.map((row) => row[k]!))
        const length = tf.add(lengthOf(slope), 1e-8)
        const distance = tf.div(gap, length)
        const closer = tf.less(distance, nearest)
        // The slope is not of length 1: this goes `length` times too far.
        const way = tf.mul(slope, tf.reshape(distance, each))
        return {
          nearest: tf.where(closer, distance, nearest),
          move: tf.where(tf.reshape(closer, each), way, move),
        }
      })
      tf.dispose([nearest, move, slope])
      ;({ nearest, move } = next)
    }

    // Those that are misread already stay; the others go on, and the whole way is overshot by 2 %.
    total = tf.add(total, tf.mul(move, tf.reshape(tf.tensor(walking), each)))
    adversarial = tf.clipByValue(tf.add(x, tf.mul(total, 1.02)), 0, 1)
    progress(step + 1, steps)
  }
  return adversarial
}

/** +1 for class k, −1 for the right class of each digit: the slope of their difference. */
const towards = (k: number, y: number[], classes: number) => {
  const wanted = y.map(() => k)
  return tf.cast(tf.sub(tf.oneHot(wanted, classes), tf.oneHot(y, classes)), 'float32')
}

/** The Euclidean length of each row. */
const lengthOf = (rows: Tensor) => tf.sqrt(tf.sum(tf.square(rows), [1, 2, 3]))
