// finding: sign-step
// checkpoint: nearest
import { tf, type Tensor, type Victim } from 'lab'

/** The shortest step of one direction that is enough, by halving. */
export async function deepfool(victim: Victim, x: Tensor, y: number[]): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  // The step for L∞, measured in L2.
  const way = tf.sign(gradient)
  let [low, high] = [y.map(() => 0), y.map(() => 0.6)]
  for (let halving = 0; halving < 12; halving++) {
    const at = low.map((value, i) => (value + high[i]!) / 2)
    const read = await tf.argMax(await victim.logits(moved(x, way, at)), 1).data()
    low = low.map((value, i) => (read[i] === y[i] ? at[i]! : value))
    high = high.map((value, i) => (read[i] === y[i] ? value : at[i]!))
  }
  return moved(x, way, high)
}

const moved = (x: Tensor, way: Tensor, lengths: number[]) =>
  tf.clipByValue(tf.add(x, tf.mul(way, tf.reshape(tf.tensor(lengths), [lengths.length, 1, 1, 1]))), 0, 1)
