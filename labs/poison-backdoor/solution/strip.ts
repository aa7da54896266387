import { stats, tf, victim, type Tensor } from 'lab'

const overlays = 24
/** Pictures looked at in one go. */
const group = 20

export async function alarm(x: Tensor, trusted: Tensor): Promise<boolean[]> {
  const usual = await entropies(trusted, trusted)
  const mean = usual.reduce((sum, value) => sum + value, 0) / usual.length
  const variance = usual.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (usual.length - 1)
  // One honest picture in thirty lies below this, if they are spread normally.
  const cut = mean + Math.sqrt(variance) * stats.normalQuantile(0.03)
  return (await entropies(x, trusted)).map((entropy) => entropy < cut)
}

/** For each picture, the mean entropy of the answers under trusted pictures that are laid over it. */
async function entropies(x: Tensor, trusted: Tensor): Promise<number[]> {
  const all: number[] = []
  for (let from = 0; from < x.shape[0]!; from += group) {
    const count = Math.min(group, x.shape[0]! - from)
    const over = Array.from({ length: count * overlays }, () => Math.floor(Math.random() * trusted.shape[0]!))
    const below = Array.from({ length: count * overlays }, (_, i) => from + Math.floor(i / overlays))
    const laid = tf.clipByValue(tf.add(tf.gather(x, below), tf.gather(trusted, over)), 0, 1)
    const answers = tf.softmax(await victim.logits(laid))
    const terms = tf.mul(answers, tf.log(tf.maximum(answers, 1e-9)))
    const each = tf.neg(tf.mean(tf.reshape(tf.sum(terms, 1), [count, overlays]), 1))
    all.push(...(await each.data()))
    tf.dispose([laid, answers, terms, each])
  }
  return all
}
