/**
 * A defence measured twice, as its vendor would and as an attacker would who knows it, with the signs that tell the
 * two apart. Carlini et al. 2019, "On Evaluating Adversarial Robustness", §4–5, arXiv:1902.06705.
 */
import { pgd, type PgdOptions } from '../attacks/evasion/pgd.ts'
import {
  flag,
  probabilityShare,
  randomShare,
  zeroGradientShare,
  type ReliabilityFlag,
} from '../attacks/reliability.ts'
import type { Labels, WhiteBoxAccess } from '../core/classifier.ts'
import { openRows } from '../core/rows.ts'
import { throwIfCancelled, type RunContext } from '../core/run.ts'
import type * as tf from '../core/tf.ts'
import type { Model } from '../models/model.ts'
import { adaptive } from './adaptive.ts'
import { averaged, defended } from './defended.ts'
import type { StageSpec } from './stage.ts'

export interface DefenceFigures {
  /** Images, and how many of them are read rightly with nobody attacking. */
  images: number
  clean: number
  /** How many are left under PGD along the defended model's own gradient, the better of two starts. */
  honest: number
  /** How many are left under images made on the bare network and shown to the defended one. */
  transferred: number
  /** How many are left under PGD that goes round the defence. */
  knowing: number
  flags: ReliabilityFlag[]
}

/** Runs of PGD in one evaluation. */
const attacks = 5

export interface EvaluationOptions {
  /** L∞, in the units of x. */
  epsilon: number
  /** Of each attack; a step is a tenth of epsilon. */
  steps: number
  /** Looks at each image: the mean of so many answers counts. */
  looks: number
}

/**
 * x: (N, …inputShape), borrowed, with its labels. Costs four runs of PGD, and a fifth of one step. Cross-entropy's gradient is looked at for
 * zeros, because that is the loss the honest attack climbs. Throws as `defended` does, and `cancelled`.
 */
export async function evaluateDefence(
  model: Model,
  specs: readonly StageSpec[],
  x: tf.Tensor,
  labels: Labels,
  { epsilon, steps, looks }: EvaluationOptions,
  run: RunContext,
): Promise<DefenceFigures> {
  const shell = defended(model, specs, run.seed)
  const seen = averaged(shell, looks)
  const criterion = { kind: 'misclassification', labels } as const
  const images = x.shape[0]!
  const options = { epsilon, norm: 'linf', steps, stepSize: epsilon / 10 } as const
  let runs = 0
  const attack = async (access: WhiteBoxAccess, own: Partial<PgdOptions> = {}) => {
    throwIfCancelled(run)
    const at = runs++
    const { adversarial } = await pgd(
      access,
      x,
      criterion,
      { ...options, ...own },
      {
        ...run,
        onStep: (done, total) => run.onStep?.(Math.round((100 * (at + done / total)) / attacks), 100),
      },
    )
    return adversarial
  }
  const standing = async (points: tf.Tensor) => {
    const logits = await seen.logits(points)
    try {
      return new Set(await openRows(logits, criterion))
    } finally {
      logits.dispose()
    }
  }
  const standingAfter = async (points: Promise<tf.Tensor>) => {
    const made = await points
    try {
      return await standing(made)
    } finally {
      made.dispose()
    }
  }
  const clean = await standing(x)
  const fromImage = await standingAfter(attack(shell))
  const fromRandom = await standingAfter(attack(shell, { randomStart: true }))
  const honest = [...fromImage].filter((row) => fromRandom.has(row))
  const transferred = await standingAfter(attack(model))
  const knowing = await standingAfter(attack(adaptive(model, specs, run.seed)))
  const atRandomPoint = await standingAfter(attack(shell, { randomStart: true, steps: 1, stepSize: 1e-12 }))
  const logits = await shell.logits(x)
  try {
    const share = (count: number) => count / Math.max(1, images)
    const fell = honest.filter((row) => !transferred.has(row)).length
    return {
      images,
      clean: clean.size,
      honest: honest.length,
      transferred: transferred.size,
      knowing: knowing.size,
      flags: [
        flag('zero-gradient', await zeroGradientShare(shell, x, labels, { kind: 'cross-entropy' })),
        flag('no-better-than-random', share(Math.max(0, atRandomPoint.size - fromRandom.size))),
        flag('black-box-wins', share(fell)),
        flag('random-output', await randomShare(shell, x, logits)),
        flag('probabilities', await probabilityShare(logits)),
      ],
    }
  } finally {
    logits.dispose()
  }
}
