// finding: nobody-left-out
// checkpoint: filtered
import type { Shop } from 'lab'

/** Has no suspicion at all. */
export function leaveOut(_: Shop): number[] {
  return []
}
