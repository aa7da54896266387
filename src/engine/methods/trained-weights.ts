import type { Trained } from '../capabilities.ts'
import { defineMethod } from '../method.ts'
import { openRuns } from '../runs.ts'

/**
 * What a run's program has trained so far, or nothing. The program itself never holds weights: the page takes
 * them from here when the program hands its trainer in, or was stopped on the way. Ask before `close-run`.
 */
export const method = defineMethod<{ runId: number }, Trained | undefined>({
  name: 'trained-weights',
  runsOn: ['engine'],
  own: true,
  run: ({ runId }, _, workshop) => openRuns(workshop).trained(runId),
})
