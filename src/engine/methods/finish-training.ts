import { finishAll } from '../finish.ts'
import { defineMethod } from '../method.ts'

/** Ends the running training after its present step; its own call resolves with the weights so far. */
export const method = defineMethod<unknown, { trainings: number }>({
  name: 'finish-training',
  runsOn: ['engine', 'referee'],
  own: true,
  async run() {
    return { trainings: finishAll() }
  },
})
