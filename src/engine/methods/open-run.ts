import { defineMethod } from '../method.ts'
import { openRuns, type RunRequest } from '../runs.ts'

/** Opens a ledger for one run of a learner's program and serves its capabilities on the port. */
export const method = defineMethod<RunRequest, { runId: number }>({
  name: 'open-run',
  runsOn: ['engine'],
  own: true,
  run: async (request, _, workshop) => ({ runId: await openRuns(workshop).open(request, workshop) }),
})
