import { now } from '../../src/core/platform.ts'
import type { BenchPage, GpuTraffic } from '../../src/cli/bench/page.ts'
import { countTraffic } from './gpu-traffic.ts'

/** Gets everything ready, warms up, and returns the work that is timed; it ends when its numbers are read. */
export type Prepare = () => Promise<() => Promise<void>>

export interface Workload {
  title: string
  /** Most milliseconds on a backend; printed beside the figure, never a test. */
  budgetMs?: Partial<Record<string, number>>
  /** Takes minutes where a training step takes half a second: on WASM and real graphics devices only. */
  heavy?: boolean
  prepare: Prepare
}

/** One line of the growth plot: the same work at several sizes. */
export interface Growth {
  title: string
  /** What grows, e.g. "images in a batch". */
  unit: string
  sizes: number[]
  /** Gets the work at this size ready. */
  prepare(size: number): Promise<() => Promise<void>>
}

interface Tfjs {
  memory(): { numTensors: number }
  backend(): unknown
}

/** Puts the page's workloads where the command finds them. */
export function offer(
  tf: Tfjs,
  start: (backend: string) => Promise<void>,
  workloads: Record<string, Workload>,
  growth: Record<string, Growth> = {},
): void {
  const ready = new Map<string, () => Promise<void>>()
  let traffic: (() => GpuTraffic) | undefined
  const page: BenchPage = {
    titles: async () =>
      Object.fromEntries(
        Object.entries(workloads).map(([name, { title, budgetMs, heavy }]) => [
          name,
          { title, budgetMs, heavy },
        ]),
      ),
    async start(backend) {
      await start(backend)
      if (backend === 'webgpu') traffic = countTraffic(tf.backend())
    },
    async prepare(name) {
      ready.set(name, await workloads[name]!.prepare())
    },
    async time(name) {
      const work = ready.get(name)!
      const started = now()
      await work()
      return now() - started
    },
    async look(name) {
      const before = tf.memory().numTensors
      traffic?.()
      await ready.get(name)!()
      return { tensors: tf.memory().numTensors - before, traffic: traffic?.() }
    },
    async growth(name, rounds) {
      const { title, unit, sizes, prepare } = growth[name]!
      const work = await Promise.all(sizes.map((size) => prepare(size)))
      const ms = sizes.map(() => Infinity)
      for (let round = 0; round < rounds; round++) {
        for (const [i, go] of work.entries()) {
          const started = now()
          await go()
          ms[i] = Math.min(ms[i]!, now() - started)
        }
      }
      return { title, unit, points: sizes.map((size, i) => [size, ms[i]!] as [number, number]) }
    },
    growths: async () => Object.keys(growth),
  }
  Object.assign(globalThis, { bench: page })
}

/** `./workloads/fgsm-100.ours.ts` is fgsm-100. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).split('.')[0]!
