import { PerturbError } from '../core/errors.ts'
import type { LedgerSummary } from '../grading/artefact.ts'
import type { Task } from '../grading/grader.ts'
import type { SandboxSpec } from '../labs/manifest.ts'
import type { Model, Weight } from '../models/model.ts'
import { createCapabilities, serveCapabilities, type Trained } from './capabilities.ts'
import type { ApiLog } from './prediction-api.ts'
import type { Workshop } from './workshop.ts'

export interface RunRequest {
  task: Task
  spec: SandboxSpec
  seed: number
  /** The victim's weights when it is the learner's own model. */
  weights?: Weight[]
  /** Those that the task's `copy` begins with, when it was handed in for another checkpoint. */
  copyWeights?: Weight[] | undefined
  /** The engine's end of the channel to the sandbox. */
  port: MessagePort
}

/** Runs of learner programs that are open in this worker, each with its own ledger. */
class OpenRuns {
  readonly #open = new Map<
    number,
    { close(): LedgerSummary; trained(): Promise<Trained | undefined>; log(): ApiLog | undefined }
  >()
  #last = 0

  async open(
    { task, spec, seed, weights, copyWeights, port }: RunRequest,
    workshop: Workshop,
  ): Promise<number> {
    const dataset = await workshop.dataset(task.dataset)
    /** The copy made from the learner's weights, and the backend's own model it was made beside. */
    let own: { beside: Model; model: Model } | undefined
    const model = async () => {
      const shipped = await workshop.model(task.victim.model, task.victim.seed)
      if (!weights) return shipped
      // A restarted backend has another shipped model: then the copy is made again.
      if (own?.beside !== shipped)
        own = { beside: shipped, model: await workshop.modelWithWeights(task.victim.model, weights) }
      return own.model
    }
    // A recommender is no network: it is fitted when it is asked.
    if (!task.shop) await workshop.attempt(model)
    const server = createCapabilities({
      model,
      dataset,
      datasets: (name) => workshop.dataset(name),
      task,
      spec,
      seed,
      ...(copyWeights ? { copyWeights } : {}),
      attempt: (work) => workshop.attempt(work),
    })
    const line = serveCapabilities(port, server)
    const id = ++this.#last
    this.#open.set(id, {
      trained: () => server.trained(),
      log: () => server.log(),
      close() {
        line.close()
        own?.model.dispose()
        return server.summary()
      },
    })
    return id
  }

  /** What the run's program has trained so far; the run stays open. */
  trained(id: number): Promise<Trained | undefined> {
    return this.#run(id).trained()
  }

  /** What the victim's prediction API has logged so far. */
  log(id: number): ApiLog | undefined {
    return this.#run(id).log()
  }

  close(id: number): LedgerSummary {
    const run = this.#run(id)
    this.#open.delete(id)
    return run.close()
  }

  #run(id: number) {
    const run = this.#open.get(id)
    if (!run)
      throw new PerturbError(
        'missing',
        `no run ${id} is open; it was closed before, or the engine was restarted`,
      )
    return run
  }
}

export const openRuns = (workshop: Workshop): OpenRuns => workshop.keep('runs', () => new OpenRuns())
