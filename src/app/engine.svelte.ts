import type { BackendName, BackendReport } from '../core/backends.ts'
import { WorkerClient } from '../engine/client.ts'
import { settings } from './settings.svelte.ts'

/**
 * The page's one engine (chosen backend) and one referee (WASM). Neither is started before something asks
 * for it; what happened is state, so that badges and notes follow.
 */
class EngineHolder {
  status = $state<'idle' | 'starting' | 'ready' | 'failed'>('idle')
  report = $state.raw<BackendReport | undefined>(undefined)
  /** Why there is no engine, in words, when status is `failed`. */
  problem = $state<string | undefined>(undefined)
  /** The last time the backend changed by itself, e.g. after a lost device. */
  notice = $state<string | undefined>(undefined)

  #engine: WorkerClient | undefined
  #referee: WorkerClient | undefined
  #started: Promise<BackendReport> | undefined
  /** The model that the present backend was chosen with. */
  #measuredWith: string | undefined

  /** The engine's client. Await `start()` first where the backend must be known. */
  get client(): WorkerClient {
    if (!this.#engine) {
      this.#engine = new WorkerClient('engine')
      this.#engine.on('backend', (report) => this.#changed(report as BackendReport))
    }
    return this.#engine
  }

  get referee(): WorkerClient {
    return (this.#referee ??= new WorkerClient('referee'))
  }

  /**
   * Starts the engine once, on the backend that the settings ask for; after a failure, tries again. With a
   * model, and where there is a choice to make, the fastest for that model. Rejects with words for the learner.
   */
  start(model?: string): Promise<BackendReport> {
    if (this.status === 'failed') this.#started = undefined
    if (this.#started && model && this.#isWorthMeasuring(model)) this.#started = undefined
    return (this.#started ??= this.#start(settings.backend, model))
  }

  /** Compiles what a training and an attack on this model need, while the page is read; only a GPU has to. */
  async warm(model: string): Promise<void> {
    if (this.report?.name !== 'webgpu' && this.report?.name !== 'webgl') return
    await this.client.call('warm', { model }).catch(() => undefined) // what is wrong shows when it is used
  }

  #isWorthMeasuring(model: string): boolean {
    const measured = this.report?.probes.filter(({ ms }) => ms !== undefined) ?? []
    return settings.backend === 'auto' && measured.length > 1 && this.#measuredWith !== model
  }

  /** Takes another backend, now. */
  async use(backend: BackendName | 'auto'): Promise<BackendReport> {
    settings.set({ backend })
    await this.#started?.catch(() => undefined)
    this.#started = this.#start(backend)
    return this.#started
  }

  async #start(backend: BackendName | 'auto', model?: string): Promise<BackendReport> {
    this.status = 'starting'
    this.#measuredWith = model
    this.problem = undefined
    try {
      const report = await this.client.call<BackendReport>('start', { backend, model })
      this.report = report
      this.status = 'ready'
      return report
    } catch (error) {
      this.report = undefined
      this.status = 'failed'
      this.problem = error instanceof Error ? error.message : String(error)
      throw error
    }
  }

  #changed(report: BackendReport) {
    if (this.report && this.report.name !== report.name) this.notice = `Now on ${report.name}: ${report.why}`
    this.report = report
    this.status = 'ready'
  }
}

export const engine = new EngineHolder()
