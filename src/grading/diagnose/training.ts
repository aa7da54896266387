/** Training that runs to its end and has learned nothing, or the wrong thing. */
import { findCollapse } from '../../defences/training/collapse.ts'
import type { HistoryPoint } from '../../models/train.ts'
import { figure, finding, percent } from '../findings.ts'
import type { Finding } from '../verdict.ts'

/** From the curve that was measured while it trained. */
export function collapsedTraining(history: readonly HistoryPoint[], classes: number): Finding | undefined {
  const collapse = findCollapse(history, classes)
  if (!collapse) return undefined
  return collapse.kind === 'stuck'
    ? finding(
        'stuck-training',
        'The training never began to learn.',
        `After ${collapse.step} steps the loss is ${figure(collapse.loss)}; a guess among ${classes} classes costs ${figure(collapse.chance)}. The model answers the same whatever it sees.`,
        'begin with a smaller ε and let it grow, or with a smaller learning rate.',
      )
    : finding(
        'catastrophic-overfitting',
        'It learned to withstand one step, and nothing else.',
        `${percent(collapse.fgsm)} are read rightly under one long step, ${percent(collapse.pgd)} under many small ones${collapse.bestPgd - collapse.pgd >= 0.05 ? `, where ${percent(collapse.bestPgd)} were reached before` : ''}. The loss has learned to bend away where the training attack looks.`,
        'train on more than one step, or stop where the many-step curve is highest.',
      )
}
