// finding: frozen-pixels
// checkpoint: smallest
import { progress, tf, type Tensor, type Victim } from 'lab'

/** Values of c that are tried, and steps of Adam with each. */
const searches = 1
const steps = 30
const rate = 0.1

// The inverse of tanh at −1 and 1: infinite, and it stays there.
const shrink = 1

/** Carlini and Wagner's attack: near and misread, in one sum, for the lightest weight c that works (2017, §V, §VI). */
export async function smallest(victim: Victim, x: Tensor, y: number[]): Promise<Tensor> {
  const each = [y.length, 1, 1, 1]
  let c = y.map(() => 1)
  let low = y.map(() => 0)
  let high = y.map(() => Infinity)
  let best = tf.clone(x)
  let nearest = tf.fill([y.length], 1e9)

  for (let search = 0; search < searches; search++) {
    let found = tf.fill([y.length], 0)
    let [w, m, v] = [wOf(x), tf.zerosLike(x), tf.zerosLike(x)]
    for (let step = 1; step <= steps; step++) {
      const image = imageOf(w)
      const { loss: lead, gradient } = await victim.lossAndGradient(image, y, { kind: 'margin' })

      const next = tf.tidy(() => {
        const misread = tf.greater(lead, 0)
        const change = tf.sub(image, x)
        const length = lengthOf(change)
        const better = tf.logicalAnd(misread, tf.less(length, nearest))

        const byImage = byImageOf(change, gradient, misread, c, each)
        return {
          ...adam(w, m, v, tf.mul(byImage, slopeOf(image)), step),
          best: tf.where(tf.reshape(better, each), image, best),
          nearest: tf.where(better, length, nearest),
          found: tf.maximum(found, tf.cast(misread, 'float32')),
        }
      })
      tf.dispose([w, m, v, best, nearest, found, image, lead, gradient])
      ;({ w, m, v, best, nearest, found } = next)
      progress(search * steps + step, searches * steps)
    }

    const won = await found.data()
    high = high.map((value, i) => (won[i] ? c[i]! : value))
    low = low.map((value, i) => (won[i] ? value : c[i]!))
    c = c.map((value, i) => (high[i] === Infinity ? 10 * value : (low[i]! + high[i]!) / 2))
    tf.dispose([w, m, v, found])
  }
  return best
}

/** Of |image − x|² − c · lead while a digit is read rightly, and of |image − x|² alone beyond the border. */
function byImageOf(change: Tensor, gradient: Tensor, misread: Tensor, c: number[], each: number[]): Tensor {
  const pull = tf.mul(tf.tensor(c), tf.cast(tf.logicalNot(misread), 'float32'))
  return tf.sub(tf.mul(2, change), tf.mul(tf.reshape(pull, each), gradient))
}

/** Any number w is a pixel between 0 and 1: (tanh w + 1) / 2. */
const imageOf = (w: Tensor) => tf.tidy(() => tf.div(tf.add(tf.tanh(w), 1), 2))

/** The way back: ½ ln((1 + t) / (1 − t)) of t = 2x − 1, pulled in from the ends. */
const wOf = (x: Tensor) =>
  tf.tidy(() => {
    const t = tf.mul(tf.sub(tf.mul(x, 2), 1), shrink)
    return tf.div(tf.log(tf.div(tf.add(1, t), tf.sub(1, t))), 2)
  })

/** How much a pixel changes with its w: (1 − tanh² w) / 2. */
const slopeOf = (image: Tensor) => tf.mul(2, tf.mul(image, tf.sub(1, image)))

/** One step of Adam (Kingma & Ba 2015) down the gradient. */
function adam(w: Tensor, m: Tensor, v: Tensor, gradient: Tensor, step: number) {
  const m1 = tf.add(tf.mul(m, 0.9), tf.mul(gradient, 0.1))
  const v1 = tf.add(tf.mul(v, 0.999), tf.mul(tf.square(gradient), 0.001))
  const mean = tf.div(m1, 1 - 0.9 ** step)
  const spread = tf.add(tf.sqrt(tf.div(v1, 1 - 0.999 ** step)), 1e-8)
  return { w: tf.sub(w, tf.mul(tf.div(mean, spread), rate)), m: m1, v: v1 }
}

/** The Euclidean length of each row. */
const lengthOf = (rows: Tensor) => tf.sqrt(tf.sum(tf.square(rows), [1, 2, 3]))
