import type { AppFigure } from '../figure.ts'
import { walks } from './long-tasks.ts'

interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  /** Microseconds, by the clock and of the processor. */
  dur?: number
  tdur?: number
  args?: { name?: string }
}

/** Milliseconds that the processor spent on the longest task of a page's main thread. */
function longestComputing(events: readonly TraceEvent[]): number {
  const thread = ({ pid, tid }: TraceEvent) => `${pid}:${tid}`
  const main = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map((event) => thread(event)),
  )
  const tasks = events.filter(
    (event) => event.ph === 'X' && event.name === 'ThreadControllerImpl::RunTask' && main.has(thread(event)),
  )
  if (tasks.length === 0)
    throw new Error('the trace has no task of a main thread; has Chromium renamed them?')
  return Math.max(...tasks.map(({ dur = 0, tdur = dur }) => Math.min(dur, tdur))) / 1000
}

/** Unlike the length of a task by the clock, it does not grow when other work of the machine takes its turn. */
export const figures: AppFigure[] = [
  {
    name: 'task-computing',
    title: 'Most computing in one main-thread task, through all steps of all labs, under trace',
    unit: 'ms',
    budget: 50,
    async measure({ browser, address }) {
      let most = 0
      for (const { before, scene } of walks) {
        const context = await browser.newContext({ viewport: { width: 1366, height: 768 } })
        try {
          const page = await context.newPage()
          await page.addInitScript(() =>
            localStorage.setItem('perturb.settings', JSON.stringify({ backend: 'wasm' })),
          )
          await before(page, address)
          await page.waitForTimeout(500)
          await browser.startTracing(page, { categories: ['toplevel', '__metadata'] })
          await scene(page, address)
          const trace = await browser.stopTracing()
          const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }
          most = Math.max(most, longestComputing(traceEvents))
        } finally {
          await context.close()
        }
      }
      return most
    },
  },
]
