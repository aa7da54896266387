/** How the budget was used: left, hardly touched, or reached in strides. */
import { hardTolerance } from '../rows.ts'
import { figure, finding, percent } from '../findings.ts'
import { limitWords, reachOf, stepOf, surerRows, type Rule } from './run.ts'

/** Out of the ball: no projection, or one that is not the last thing but the clip. */
export const leftBall: Rule = (run) => {
  const { measured, trace = [] } = run
  const { limit, norm } = measured
  const reach = reachOf(run)
  if (reach <= limit * (1 + (norm === 'l2' ? 1e-5 : 0)) + hardTolerance) return undefined
  const words = limitWords(measured)
  const left = trace.findIndex(({ values }) => (values[norm] ?? 0) > limit + 1e-4)
  const when = left > 0 ? ` It left the ball at step ${left} of ${trace.length}.` : ''
  return finding(
    'epsilon-exceeded',
    'Pixels left the ball.',
    `${words.farthest} ${figure(reach)}, and ε is ${limit}.${when} A big enough change fools anyone, so this run cannot count.`,
    trace.length > 1
      ? `after each step pull the whole change, x′ − x, back into ${words.inside}; then clip to [0, 1].`
      : `one step may be as long as ε; after several, pull the whole change back into ${words.inside}.`,
  )
}

/** Steps in the right direction that never arrive. */
export const tinyStep: Rule = (run) => {
  const { measured, trace = [], direction, target } = run
  const { limit, perturbation, task } = measured
  const reach = reachOf(run)
  const rightWay = target === undefined ? direction.agreement : 1 - direction.agreement
  const climbs = rightWay >= 0.75 || (trace.length > 1 && surerRows(measured) < 0.2 * task.ids.length)
  if (perturbation.moved === 0 || reach >= limit / 2 || !climbs) return undefined
  const step = stepOf(run)
  const steps = trace.length > 1 && step ? ` ${trace.length} steps of ${figure(step)} reach no farther.` : ''
  return finding(
    'tiny-step',
    trace.length > 1 || task.victim.weightsFrom
      ? 'Your steps are too small to reach the ball.'
      : 'Your step is too small to reach the ball.',
    `${limitWords(measured).farthest} ${figure(reach)}, and ε is ${limit}: ${percent(reach / limit)} of what is allowed.${steps}`,
    trace.length > 1 || task.victim.weightsFrom
      ? 'make steps × step size at least twice ε, for example 20 steps of ε / 8.'
      : `make the step as long as ε, ${limit}: pixels run from 0 to 1, so nothing is divided by 255.`,
  )
}

/**
 * Strides longer than the ball: no fault. Each is pulled back to the edge, so the attack jumps from corner to
 * corner of the ball and does nearly as well. Not in the table of faults; a grader may say it beside a verdict.
 */
export const longStep: Rule = (run) => {
  const step = stepOf(run)
  const { limit } = run.measured
  // What arrives is measured after the projection: from one side of the ball to the other is 2 ε at most.
  if (step === undefined || step <= limit * 1.05 || reachOf(run) > limit + 1e-4) return undefined
  return finding(
    'long-step',
    'Your steps are longer than the ball, and that is no fault.',
    `From one gradient to the next a pixel moved by up to ${figure(step)}, and ε is ${limit}. The projection pulls each stride back to the edge, so the attack jumps between corners of the ball and loses little by it.`,
    'shorter steps follow a curved loss more closely; it is worth a try when the last few images hold firm.',
  )
}
