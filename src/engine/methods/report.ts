import type { BackendReport } from '../../core/backends.ts'
import * as tf from '../../core/tf.ts'
import { defineMethod } from '../method.ts'

export interface WorkerReport extends BackendReport {
  memory: { tensors: number; bytes: number }
}

/** Which backend runs, why, and what it holds: the doctor page's figures. */
export const method = defineMethod<unknown, WorkerReport>({
  name: 'report',
  runsOn: ['engine', 'referee'],
  async run(_, __, workshop) {
    const { numTensors, numBytes } = tf.memory()
    return { ...workshop.backend, memory: { tensors: numTensors, bytes: numBytes } }
  },
})
