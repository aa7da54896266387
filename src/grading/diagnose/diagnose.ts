/**
 * Why did it fail? A table of small rules over what is known of a run (`Run`), the surest first. Shared by all
 * evasion labs; a lab's own findings come before or after it in its grader.
 */
import type { LedgerSummary } from '../artefact.ts'
import { diagnoseDirection, type MeasuredExamples } from '../evasion.ts'
import { firstFinding } from '../findings.ts'
import type { Finding } from '../verdict.ts'
import type { Model } from '../../models/model.ts'
import { leftBall, tinyStep } from './budget.ts'
import { descended, noSign, randomDirection, unchanged, wrongClass, wrongTarget } from './direction.ts'
import { examineGradients, maskedGradient, softmaxLogits, zeroGradient } from './gradient.ts'
import { askedInGreyLevels, greyLevels, notClipped } from './pixels.ts'
import type { Rule, Run } from './run.ts'

/** What the hard rows say: a change that is too big fools anyone, so it is told before any direction. */
export const boundsRules: readonly Rule[] = [greyLevels, leftBall, notClipped]

/** Every fault that can be told from a hand-in and the run that made it, the surest first. */
export const faults: readonly Rule[] = [
  noSign,
  ...boundsRules,
  askedInGreyLevels,
  // A model without a slope leaves the images as they were: the cause before what it did.
  softmaxLogits,
  zeroGradient,
  maskedGradient,
  unchanged,
  descended,
  wrongTarget,
  wrongClass,
  tinyStep,
  randomDirection,
]

/** The first of the rules that has something to say. */
export const firstOf = (rules: readonly Rule[], run: Run): Finding | undefined =>
  firstFinding(rules.map((rule) => rule(run)))

/**
 * Collects what the rules look at. Costs a gradient for each class and two more, so it is for hand-ins that
 * failed. `model` is the one attacked; `ledger` brings what the engine saw on the way, when it was there.
 */
export async function examineRun(
  measured: MeasuredExamples,
  model: Model,
  { target, ledger }: { target?: number | undefined; ledger?: LedgerSummary | undefined } = {},
): Promise<Run> {
  return {
    measured,
    direction: await diagnoseDirection(measured, model, target),
    gradient: await examineGradients(model, measured),
    ...(target === undefined ? {} : { target }),
    ...(ledger?.trace ? { trace: ledger.trace } : {}),
  }
}

/** Examines a failed run and names the first fault; undefined when no rule knows it. */
export async function diagnose(
  measured: MeasuredExamples,
  model: Model,
  known?: { target?: number | undefined; ledger?: LedgerSummary | undefined },
): Promise<Finding | undefined> {
  return firstOf(faults, await examineRun(measured, model, known))
}
