import { beforeAll, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { createWorkshop, type Workshop } from '../../../src/engine/workshop.ts'
import type { LabGrader, Task } from '../../../src/grading/grader.ts'
import { gradeArtefact, taskOf } from '../../../src/grading/referee.ts'
import { loadGrader } from '../../../src/labs/graders.ts'

let workshop: Workshop
beforeAll(async () => {
  workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => undefined })
  await workshop.start('wasm')
})

/** The lab's own grader; only how its victim is trained differs. */
function withTraining(grader: LabGrader, checkpoint: string, training: Partial<Task['training']>): LabGrader {
  const own = grader.checkpoints[checkpoint]!
  return {
    ...grader,
    checkpoints: {
      ...grader.checkpoints,
      [checkpoint]: {
        ...own,
        task: async (...given) => {
          const task = await own.task!(...given)
          return { ...task, training: { ...task.training!, ...training } }
        },
      },
    },
  }
}

const trigger = { kind: 'patch', top: 1, left: 1, height: 1, width: 1, pixels: [1], opacity: 1 }

test.each(['handshake', 'unseen'])(
  'a victim of %s that diverges is no failed attack: nothing is measured, and the learner is told why',
  async (checkpoint) => {
    const lab = await loadGrader('poison-backdoor')
    const verdictAt = async (learningRate: number) => {
      const grader = withTraining(lab, checkpoint, { steps: 4, learningRate })
      const { ids, labels } = await taskOf(grader, { checkpoint, seed: 1 }, workshop)
      const artefact = { kind: 'change-list', ids: [ids[0]], labels: [labels[0]], trigger, stamped: [ids[0]] }
      return gradeArtefact(grader, { checkpoint, seed: 1, artefact }, workshop)
    }
    const diverged = await verdictAt(1e300)
    expect(diverged).toMatchObject({ status: 'unavailable', rows: [] })
    expect(diverged.finding?.cause).toMatch(/the training diverged, so nothing can be said of these rows/)
    const weak = await verdictAt(1e-3)
    expect(weak.status).toBe('failed')
    expect(weak.rows.map(({ id }) => id)).toContain('success')
  },
)
