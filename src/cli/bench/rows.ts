import { median } from './figure.ts'
import type { GpuTraffic, WorkloadTitle } from './page.ts'
import type { Measured } from './report.ts'
import type { Side } from './sides.ts'

/** A go that takes longer than this is timed once: it says enough. */
export const slowMs = 3000
/** A warming go that takes longer than this stays the only one, and counts. */
const tooSlowMs = 10_000
/** A backend that is not ready by then is told as such. */
const patienceMs = 90_000

/** One side's figure: median milliseconds, or in words why there are none. */
export interface Cell {
  ms: number | string
  /** Left behind by one go. */
  tensors?: number
  traffic?: GpuTraffic
}

export interface Row {
  workload: string
  title: string
  backend: string
  budgetMs?: number
  /** By the name of the side: ours, stock, torch. */
  cells: Record<string, Cell>
  measured?: Measured
}

interface Runner {
  name: string
  side: Side
  trouble: string | undefined
  times: number[]
}

/**
 * Every workload on every side, in turns, so that a busy minute of the machine falls on all of them. Our side
 * names the workloads; a side that lacks one says so.
 */
export async function measureRows(
  sides: { name: string; side: Side; backend: string }[],
  options: {
    backend: string
    /** A real device, or a backend that can train: heavy workloads run too. */
    heavy: boolean
    rounds: number
    wanted(name: string): boolean
    say(line: string): void
  },
): Promise<Row[]> {
  const { backend, heavy, rounds, wanted, say } = options
  const rows: Row[] = []
  const titles = await sides[0]!.side.titles()
  const notStarted = new Map<string, string | undefined>()
  const offers = new Map<string, Set<string>>()
  for (const { name, side, backend: own } of sides) {
    offers.set(name, new Set(Object.keys(await side.titles())))
    notStarted.set(name, await attempt(() => side.start(own)))
  }
  for (const [workload, { title, budgetMs, heavy: isHeavy }] of Object.entries<WorkloadTitle>(titles)) {
    if (!wanted(workload) || (isHeavy && !heavy)) continue
    say(`  ${backend}: ${title}`)
    const runners: Runner[] = []
    for (const { name, side } of sides.filter(({ name }) => offers.get(name)!.has(workload))) {
      const started = performance.now()
      const trouble = notStarted.get(name) ?? (await attempt(() => side.prepare(workload)))
      const took = performance.now() - started
      runners.push({ name, side, trouble, times: took > tooSlowMs ? [took] : [] })
    }
    for (let round = 0; round < rounds; round++) {
      for (const runner of runners) {
        if (runner.trouble || Math.max(...runner.times) > slowMs) continue
        runner.times.push(await runner.side.time(workload))
      }
    }
    const cells: Row['cells'] = {}
    for (const { name, side, trouble, times } of runners) {
      if (trouble === undefined) {
        const seen = Math.max(...times) > slowMs ? undefined : await side.look(workload)
        cells[name] = { ms: median(times), tensors: seen?.tensors, traffic: seen?.traffic }
      } else cells[name] = { ms: trouble }
    }
    rows.push({ workload, title, backend, budgetMs: budgetMs?.[backend], cells })
  }
  return rows
}

/** What went wrong in words, or nothing. */
async function attempt(ask: () => Promise<unknown>): Promise<string | undefined> {
  const asked = ask()
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`not ready after ${patienceMs / 1000} s`)), patienceMs).unref(),
  )
  try {
    await Promise.race([asked, late])
    return undefined
  } catch (error) {
    asked.catch(() => undefined)
    const first = (error as Error).message.replace(/^page\.evaluate: /, '').split('\n')[0]!
    return first.replace(/^Error: /, '').slice(0, 110)
  }
}
