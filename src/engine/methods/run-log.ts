import { defineMethod } from '../method.ts'
import type { ApiLog } from '../prediction-api.ts'
import { openRuns } from '../runs.ts'

/** The provider's log of a run that is still open; nothing when its victim stands behind no prediction API. */
export const method = defineMethod<{ runId: number }, ApiLog | undefined>({
  name: 'run-log',
  runsOn: ['engine'],
  own: true,
  run: async ({ runId }, _, workshop) => openRuns(workshop).log(runId),
})
