import { PerturbError } from '../core/errors.ts'
import type { LedgerSummary } from '../grading/artefact.ts'
import type { Task } from '../grading/grader.ts'
import type { SandboxSpec } from '../labs/manifest.ts'
import type { Model, Weight } from '../models/model.ts'
import { createCapabilities, serveCapabilities } from './capabilities.ts'
import type { Workshop } from './workshop.ts'

export interface RunRequest {
  task: Task
  spec: SandboxSpec
  seed: number
  /** The victim's weights when it is the learner's own model. */
  weights?: Weight[]
  /** The engine's end of the channel to the sandbox. */
  port: MessagePort
}

/** Runs of learner programs that are open in this worker, each with its own ledger. */
class OpenRuns {
  readonly #open = new Map<number, () => LedgerSummary>()
  #last = 0

  async open({ task, spec, seed, weights, port }: RunRequest, workshop: Workshop): Promise<number> {
    const dataset = await workshop.dataset(task.dataset)
    /** The copy made from the learner's weights, and the backend's own model it was made beside. */
    let own: { beside: Model; model: Model } | undefined
    const model = async () => {
      const shipped = await workshop.model(task.victim.model)
      if (!weights) return shipped
      // A restarted backend has another shipped model: then the copy is made again.
      if (own?.beside !== shipped)
        own = { beside: shipped, model: await workshop.modelWithWeights(task.victim.model, weights) }
      return own.model
    }
    await workshop.attempt(model)
    const server = createCapabilities({
      model,
      dataset,
      task,
      spec,
      seed,
      attempt: (work) => workshop.attempt(work),
    })
    const line = serveCapabilities(port, server)
    const id = ++this.#last
    this.#open.set(id, () => {
      line.close()
      own?.model.dispose()
      return server.summary()
    })
    return id
  }

  close(id: number): LedgerSummary {
    const close = this.#open.get(id)
    if (!close)
      throw new PerturbError(
        'missing',
        `no run ${id} is open; it was closed before, or the engine was restarted`,
      )
    this.#open.delete(id)
    return close()
  }
}

export const openRuns = (workshop: Workshop): OpenRuns => workshop.keep('runs', () => new OpenRuns())
