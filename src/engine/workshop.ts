import {
  backendNames,
  chooseBackend,
  onDeviceLost,
  startBackend,
  type BackendName,
  type BackendReport,
  type FetchBytes,
} from '../core/backends.ts'
import { PerturbError } from '../core/errors.ts'
import { nextTask } from '../core/platform.ts'
import type { DataSet } from '../data/data-set.ts'
import { loadDataSet } from '../data/load.ts'
import type { LabGrader } from '../grading/grader.ts'
import { loadGrader } from '../labs/graders.ts'
import { loadModel, loadWeights } from '../models/load.ts'
import type { Architecture, Model, Weight } from '../models/model.ts'
import { createModel } from '../models/network.ts'
import { checkWeights } from '../models/weights.ts'
import { isSeeded, seededModel } from '../models/seeded.ts'

/** What a worker keeps between calls: the backend, and models, data and graders loaded once. */
export interface Workshop {
  readonly role: 'engine' | 'referee'
  /** Throws `unavailable` before the first backend runs. */
  readonly backend: BackendReport
  readonly fetchBytes: FetchBytes
  /** Chooses and starts a backend; the referee always takes WASM. `probe` names the model to measure with. */
  start(preference: BackendName | 'auto', probe?: string): Promise<BackendReport>
  /** A shipped model, or with a seed the one that it trains (src/models/seeded/). Kept: never dispose it. */
  model(name: string, seed?: number): Promise<Model>
  /** Architecture and weights of a shipped model, or of the one that a seed trains, as data. */
  weights(name: string, seed?: number): Promise<{ architecture: Architecture; weights: Weight[] }>
  /** Takes another worker's weights for the model of a seed: from now on nothing is trained for it here. */
  adopt(name: string, seed: number, weights: Weight[]): Promise<void>
  /** Whether the model of a seed is trained here, adopted, or in training. */
  hasSeeded(name: string, seed: number): boolean
  /** A new model of a shipped architecture, or one of src/models/seeded/, with other weights; the caller disposes it. */
  modelWithWeights(name: string, weights: Weight[]): Promise<Model>
  dataset(name: string): Promise<DataSet>
  lab(slug: string): Promise<LabGrader>
  /**
   * Runs work on a running backend. When the device is lost on the way, starts the next backend and runs
   * the work again: it must build what it needs from `model` and `dataset` each time.
   */
  attempt<T>(work: () => Promise<T>): Promise<T>
  /** Sends unasked news to the page. */
  emit(event: string, value: unknown): void
  /** Something a method keeps for as long as the worker lives, made at the first request for it. */
  keep<T>(key: string, make: () => T): T
}

/** How the workshop reaches backends; tests pass their own. */
export interface BackendDoor {
  choose: typeof chooseBackend
  start: typeof startBackend
  onLost: typeof onDeviceLost
}

export interface WorkshopOptions {
  role: Workshop['role']
  fetchBytes: FetchBytes
  /** The absolute address of the app's folder, with a slash; without it WASM takes one thread. */
  base?: string
  emit(event: string, value: unknown): void
  backends?: BackendDoor
}

/** One backend's life: ends when its device is lost or another backend is chosen. */
interface Era {
  report: BackendReport
  models: Map<string, Promise<Model>>
  ended: boolean
  /** Rejects when the era ends. */
  end: Promise<never>
  finish(): void
}

export function createWorkshop({
  role,
  fetchBytes,
  base,
  emit,
  backends = { choose: chooseBackend, start: startBackend, onLost: onDeviceLost },
}: WorkshopOptions): Workshop {
  const datasets = new Map<string, Promise<DataSet>>()
  const shipped = new Map<string, ReturnType<typeof loadWeights>>()
  /** Kept beyond a backend's life: what was trained once is not trained again. */
  const fromSeed = new Map<string, Promise<Weight[]>>()
  /** Trainings under way: a device that is lost may never answer them. */
  const inTraining = new Set<string>()
  const kept = new Map<string, unknown>()
  // A verdict is computed alike everywhere: the referee takes one thread.
  const threadsFrom = role === 'engine' ? base : undefined
  let era: Promise<Era> | undefined
  let current: Era | undefined

  backends.onLost((name) => {
    if (current?.report.name === name) replaceLost(current)
  })

  async function begin(preference: BackendName | 'auto', probe?: string): Promise<Era> {
    const probeModel = probe === undefined ? undefined : () => loadModel(probe, fetchBytes)
    const report = await backends.choose({
      preference: role === 'referee' ? 'wasm' : preference,
      fetchBytes,
      probeModel,
      threadsFrom,
    })
    if (role === 'referee' && report.name !== 'wasm')
      throw new PerturbError(
        'unavailable',
        `The referee measures on WASM only, and it does not start here: ${report.why}`,
      )
    return newEra(report)
  }

  function newEra(report: BackendReport): Era {
    let finish = () => {}
    const end = new Promise<never>((_, reject) => {
      finish = () =>
        reject(new PerturbError('device-lost', `${report.name} went away in the middle of a computation`))
    })
    end.catch(() => undefined)
    for (const key of inTraining) fromSeed.delete(key)
    inTraining.clear()
    const begun: Era = {
      report,
      models: new Map(),
      ended: false,
      end,
      finish() {
        begun.ended = true
        finish()
      },
    }
    return (current = begun)
  }

  /** Installs the next era; a failed start is forgotten, so that the next call tries again. */
  function enter(next: Promise<Era>): Promise<Era> {
    era = next
    next.catch(() => {
      if (era === next) era = undefined
    })
    return next
  }

  function replaceLost(lost: Era): void {
    if (lost.ended) return
    lost.finish()
    void enter(nextBackend(lost.report)).then(
      ({ report }) => emit('backend', report),
      (error: unknown) => emit('broken', error instanceof Error ? error.message : String(error)),
    )
  }

  /** The first that starts, in the order GPU to processor, after the one that was lost. */
  async function nextBackend({ name: lost, probes }: BackendReport): Promise<Era> {
    const reasons: string[] = []
    for (const name of backendNames.slice(backendNames.indexOf(lost) + 1)) {
      try {
        await backends.start(name, fetchBytes, { threadsFrom })
        const report = await backends.choose({ preference: name, fetchBytes, threadsFrom })
        const without = probes.map((probe) =>
          probe.name === lost ? { name: lost, available: false, reason: 'its device was lost' } : probe,
        )
        return newEra({ ...report, why: `${lost} lost its device`, probes: without })
      } catch (error) {
        reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    throw new PerturbError(
      'unavailable',
      `${lost} lost its device and no other backend starts (${reasons.join('; ') || 'there is none after it'}); reload the page`,
    )
  }

  const running = () => era ?? enter(begin('auto'))

  const load = (name: string) => once(datasets, name, () => loadDataSet(name, fetchBytes))
  const seedKey = (name: string, seed: number) => `${name} from seed ${seed}`
  const weights = async (name: string, seed?: number) => {
    if (seed === undefined) return once(shipped, name, () => loadWeights(name, fetchBytes))
    const { architecture, dataset, train } = seededModel(name)
    const key = seedKey(name, seed)
    const trained = once(fromSeed, key, async () => {
      await running()
      const data = await load(dataset)
      inTraining.add(key)
      try {
        return await train(data, seed)
      } finally {
        inTraining.delete(key)
      }
    })
    return { architecture, weights: await trained }
  }

  return {
    role,
    fetchBytes,
    weights,
    emit,
    get backend() {
      if (!current || current.ended)
        throw new PerturbError('unavailable', 'no backend runs yet; call start first')
      return current.report
    },
    async start(preference, probe) {
      const before = await era?.catch(() => undefined)
      if (before && !before.ended) {
        if (before.report.name === preference || role === 'referee') return before.report
        for (const model of before.models.values())
          void model.then(
            (loaded) => loaded.dispose(),
            () => undefined,
          )
        before.finish()
      }
      return (await enter(begin(preference, probe))).report
    },
    async model(name, seed) {
      const { models } = await running()
      return once(models, seed === undefined ? name : seedKey(name, seed), async () => {
        const { architecture, weights: own } = await weights(name, seed)
        return createModel(architecture, own)
      })
    },
    async adopt(name, seed, own) {
      const key = seedKey(name, seed)
      if (fromSeed.has(key)) return
      fromSeed.set(key, Promise.resolve(checkWeights(seededModel(name).architecture, own)))
    },
    hasSeeded: (name, seed) => fromSeed.has(seedKey(name, seed)),
    async modelWithWeights(name, own) {
      await running()
      const architecture = isSeeded(name)
        ? seededModel(name).architecture
        : (await weights(name)).architecture
      return createModel(architecture, own)
    },
    dataset: load,
    lab: (slug) => loadGrader(slug),
    async attempt(work) {
      for (;;) {
        const now = await running()
        try {
          return await Promise.race([work(), now.end])
        } catch (error) {
          if (error instanceof PerturbError && error.code === 'device-lost') replaceLost(now)
          // The news of a lost device may come after the errors that it causes.
          if (!now.ended) await nextTask()
          if (!now.ended) throw error
        }
      }
    },
    keep<T>(key: string, make: () => T) {
      if (!kept.has(key)) kept.set(key, make())
      return kept.get(key) as T
    },
  }
}

/** Loads a thing once; a failed load is forgotten, so that the next request tries again. */
function once<T>(loaded: Map<string, Promise<T>>, name: string, load: () => Promise<T>): Promise<T> {
  let thing = loaded.get(name)
  if (!thing) {
    thing = load()
    loaded.set(name, thing)
    thing.catch(() => loaded.delete(name))
  }
  return thing
}
