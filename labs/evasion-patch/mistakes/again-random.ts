// finding: untrained
// checkpoint: again
import { tf, type PlacementRange, type Tensor, type Victim } from 'lab'

interface Place {
  side: number
  range: PlacementRange
  spot: { right: number; down: number }
}

export async function again(victim: Victim, x: Tensor, target: number, { side }: Place): Promise<Tensor> {
  await victim.logits(x)
  return tf.add(tf.randomUniform([side, side, 3]), 0 * target)
}
