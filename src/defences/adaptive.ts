/**
 * A defended model as an attacker sees it who knows the defence: staircases are passed by on the way back (BPDA),
 * chance is averaged (EOT), and the loss is one that scaled logits cannot flatten. What a defence withstands is
 * measured on this access and not on its honest gradient. Tramèr, Carlini, Brendel, Mądry 2020, "On Adaptive Attacks
 * to Adversarial Example Defenses", arXiv:2002.08347.
 */
import { bpda } from '../attacks/bpda.ts'
import { eot } from '../attacks/eot.ts'
import type { WhiteBoxAccess } from '../core/classifier.ts'
import { createRng } from '../core/rng.ts'
import * as tf from '../core/tf.ts'
import type { Model } from '../models/model.ts'
import { defended } from './defended.ts'
import { readStage } from './registry.ts'
import type { StageSpec } from './stage.ts'

/**
 * Everything up to the last staircase is treated as the identity on the way back. `draws` is the number of
 * looks that an answer is the mean of. The model is borrowed. Throws as `defended` and `eot` do.
 */
export function adaptive(model: Model, specs: readonly StageSpec[], seed: number, draws = 1): WhiteBoxAccess {
  const parts = specs.map(readStage)
  const inFront = parts.findLastIndex(({ entry }) => entry.flat) + 1
  const front = parts.slice(0, inFront).filter(({ entry }) => entry.place === 'input')
  const behind = defended(model, specs.slice(inFront), seed)
  let calls = 0
  const forward = (x: tf.Tensor) =>
    tf.tidy(() =>
      front.reduce(
        (seen, { entry, options }) => entry.forward(seen, options, createRng(seed, `front ${calls++}`)),
        tf.clone(x),
      ),
    )
  const open = eot(bpda(behind, { forward }), draws)
  return {
    ...open,
    lossAndGradient: (x, y, loss = { kind: 'margin' }) => open.lossAndGradient(x, y, loss),
  }
}
