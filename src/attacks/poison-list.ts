/**
 * Changes to a training set of images, some of which carry a trigger: what somebody who plants a backdoor hands
 * in. The trigger travels once, as data, so that a referee can stamp it on test images too.
 */
import { PerturbError } from '../core/errors.ts'
import { withChanges, type ChangeList } from '../data/change-list.ts'
import { rowOf, type LabelledRows } from '../data/labelled-rows.ts'
import { checkTrigger, stamp, type Trigger } from './trigger.ts'

export interface PoisonList extends ChangeList {
  trigger?: Trigger
  /** Which of the changed rows carry it, by id. Their label may be the one they had. */
  stamped?: number[]
}

/**
 * A copy with the changes made and the trigger stamped on what is left of its rows. Throws `bad-input` for an id that no
 * row has, for rows to stamp without a trigger, and as `checkTrigger` does.
 */
export function withPoison(rows: LabelledRows, changes: PoisonList): LabelledRows {
  const { trigger, stamped = [] } = changes
  if (stamped.length > 0 && !trigger)
    throw new PerturbError('bad-input', 'changes: rows are to be stamped, and there is no trigger')
  if (trigger) checkTrigger('changes', trigger, rows.shape)
  const changed = withChanges(rows, changes)
  const wanted = new Set(stamped)
  if (trigger)
    for (const [place, id] of changed.ids.entries())
      if (wanted.has(id)) stamp(rowOf(changed, place), rows.shape, trigger)
  return changed
}

/** How many pixels of an image a trigger touches at all. */
export function touchedPixels(trigger: Trigger, [height = 0, width = 0]: readonly number[]): number {
  switch (trigger.kind) {
    case 'patch': {
      const { opacity } = trigger
      const area = trigger.height * trigger.width
      if (typeof opacity === 'number') return opacity > 0 ? area : 0
      return Array.from({ length: area }, (_, k) => opacity[k]!).filter((share) => share > 0).length
    }
    case 'blend':
      return trigger.opacity > 0 ? height * width : 0
    case 'wave':
      return trigger.amplitude > 0 ? height * width : 0
  }
}
