import type { LedgerSummary } from '../../grading/artefact.ts'
import { defineMethod } from '../method.ts'
import { openRuns } from '../runs.ts'

/** Ends a run: its port answers no more, and what it asked is told. */
export const method = defineMethod<{ runId: number }, LedgerSummary>({
  name: 'close-run',
  runsOn: ['engine'],
  own: true,
  run: async ({ runId }, _, workshop) => openRuns(workshop).close(runId),
})
