import type { BenchPage } from '../../src/cli/bench/measure.ts'

/** Gets everything ready, warms up, and returns the work that is timed; it ends when its numbers are read. */
export type Prepare = () => Promise<() => Promise<void>>

export interface Workload {
  title: string
  /** Most milliseconds on a backend; printed beside the figure, never a test. */
  budgetMs?: Partial<Record<string, number>>
  prepare: Prepare
}

/** Puts the page's workloads where the command finds them. */
export function offer(start: (backend: string) => Promise<void>, workloads: Record<string, Workload>): void {
  const ready = new Map<string, () => Promise<void>>()
  const page: BenchPage = {
    titles: () =>
      Object.fromEntries(
        Object.entries(workloads).map(([name, { title, budgetMs }]) => [name, { title, budgetMs }]),
      ),
    start,
    async prepare(name) {
      ready.set(name, await workloads[name]!.prepare())
    },
    async time(name) {
      const work = ready.get(name)!
      const started = performance.now()
      await work()
      return performance.now() - started
    },
  }
  Object.assign(globalThis, { bench: page })
}

/** `./workloads/fgsm-100.ours.ts` is fgsm-100. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).split('.')[0]!
