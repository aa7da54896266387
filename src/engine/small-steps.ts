import type { EvasionEntry, EvasionResult, Options } from '../attacks/attack.ts'
import { runEvasion } from '../attacks/run-evasion.ts'
import type { WhiteBoxAccess } from '../core/classifier.ts'
import { criterionLabels, type Criterion } from '../core/criteria.ts'
import { PerturbError } from '../core/errors.ts'
import { projectBall } from '../core/norms.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from '../core/run.ts'
import * as tf from '../core/tf.ts'

/** The same attack again and again, each time a small one. */
export interface SmallSteps {
  steps: number
  /** Length of one step, as a share of the attack's epsilon. */
  stepShare: number
}

/**
 * Repeats an attack with a step of stepShare · epsilon, and after each pulls the image back into the ball
 * of epsilon around the original (Kurakin et al. 2017, arXiv:1607.02533, §2.2; projection as in Madry et
 * al. 2018). One step, or none given, is the attack itself. The trace holds the mean loss before each step
 * and after the last. Throws `bad-input` for an attack without epsilon or a number of steps below 1.
 */
export async function runSmallSteps(
  entry: EvasionEntry,
  access: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Options,
  small: SmallSteps | undefined,
  run: RunContext,
): Promise<EvasionResult> {
  if (!small || small.steps === 1) return runEvasion(entry, access, x, criterion, options, run)
  const { steps, stepShare } = small
  if (!Number.isInteger(steps) || steps < 1 || steps > 1000)
    throw new PerturbError(
      'bad-input',
      `small steps: their number must be a whole one from 1 to 1000; got ${steps}`,
    )
  if (!(stepShare > 0 && stepShare <= 10))
    throw new PerturbError(
      'bad-input',
      `small steps: stepShare must be above 0 and at most 10; got ${stepShare}`,
    )
  const epsilon = options.epsilon
  if (typeof epsilon !== 'number')
    throw new PerturbError(
      'bad-input',
      `small steps: ${entry.id} needs an epsilon to divide; got ${String(epsilon)}`,
    )
  const norm = options.norm === 'l2' ? 'l2' : 'linf'
  const trace: TraceStep[] = []
  // The attack asks for the loss anyway: listen, instead of asking a second time.
  let heard: number | undefined
  const listening: WhiteBoxAccess = {
    inputShape: access.inputShape,
    numClasses: access.numClasses,
    bounds: access.bounds,
    logits: (z) => access.logits(z),
    vjp: (z, cotangent) => access.vjp(z, cotangent),
    async lossAndGradient(z, y, spec) {
      const answer = await access.lossAndGradient(z, y, spec)
      heard ??= await meanOf(answer.loss)
      return answer
    },
  }
  let adversarial = tf.clone(x)
  try {
    for (let step = 0; step < steps; step++) {
      throwIfCancelled(run)
      heard = undefined
      const moved = await runEvasion(
        entry,
        listening,
        adversarial,
        criterion,
        { ...options, epsilon: epsilon * stepShare },
        { ...run, onStep: undefined },
      )
      const delta = tf.sub(moved.adversarial, x)
      const inside = await projectBall(delta, norm, epsilon)
      const next = tf.tidy(() => tf.clipByValue(tf.add(x, inside), ...access.bounds))
      tf.dispose([adversarial, moved.adversarial, delta, inside])
      adversarial = next
      if (heard !== undefined) trace.push({ step, values: { loss: heard } })
      run.onStep?.(step + 1, steps)
    }
    trace.push({ step: steps, values: { loss: await meanLoss(access, adversarial, criterion) } })
    return { adversarial, trace }
  } catch (error) {
    tf.dispose(adversarial)
    throw error
  }
}

async function meanLoss(access: WhiteBoxAccess, x: tf.Tensor, criterion: Criterion): Promise<number> {
  const { loss, gradient } = await access.lossAndGradient(x, criterionLabels(criterion))
  try {
    return await meanOf(loss)
  } finally {
    tf.dispose([loss, gradient])
  }
}

async function meanOf(loss: tf.Tensor): Promise<number> {
  const mean = tf.mean(loss)
  const [value] = await mean.data()
  mean.dispose()
  return value!
}
