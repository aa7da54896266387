import type { BackendName, BackendReport } from '../../core/backends.ts'
import { defineMethod } from '../method.ts'

/**
 * Chooses and starts a backend, or changes to another one: calls under way start again on it. `model`
 * names the model that `auto` measures with; loading the lab's own also warms it up.
 */
export const method = defineMethod<{ backend: BackendName | 'auto'; model?: string }, BackendReport>({
  name: 'start',
  runsOn: ['engine', 'referee'],
  own: true,
  run: ({ backend, model }, _, workshop) => workshop.start(backend, model),
})
