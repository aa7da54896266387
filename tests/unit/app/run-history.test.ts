import { describe, expect, test } from 'vitest'
import type { LabSession } from '../../../src/app/lab-session.svelte.ts'
import { RunHistory, type RunOptions } from '../../../src/app/run-history.svelte.ts'
import { PerturbError } from '../../../src/core/errors.ts'

interface Run {
  number: number
  what: string
}

class Bench extends RunHistory<Run> {
  measure(what: string, work: (options: RunOptions) => Promise<void> = async () => undefined) {
    return this.attempt(async (options) => {
      await work(options)
      this.keep({ what }, (earlier) => earlier.what === what)
    })
  }
}

function bench() {
  const session = { seed: 1 }
  return { session, history: new Bench(session as LabSession) }
}
const named = ({ runs }: Bench) => runs.map(({ number, what }) => `${number} ${what}`)

describe('runs beside each other', () => {
  test('the latest first, four at most, and of the same ones the latest', async () => {
    const { history } = bench()
    for (const what of ['a', 'b', 'a', 'c', 'd', 'e']) await history.measure(what)
    expect(named(history)).toEqual(['6 e', '5 d', '4 c', '3 a'])
  })

  test('another variant’s runs are forgotten, and numbers go on', async () => {
    const { history, session } = bench()
    await history.measure('a')
    session.seed = 2
    await history.measure('b')
    expect(named(history)).toEqual(['2 b'])
  })

  test('says how far it is, and does not begin a second one meanwhile', async () => {
    const { history } = bench()
    let finish = () => {}
    const first = history.measure('a', ({ onProgress }) => {
      onProgress(1, 4)
      return new Promise((done) => (finish = done))
    })
    expect([history.running, history.progress]).toEqual([true, 0.25])
    await history.measure('b')
    finish()
    await first
    expect(named(history)).toEqual(['1 a'])
    expect(history.running).toBe(false)
  })

  test('what is stopped leaves the earlier ones, and no trouble', async () => {
    const { history } = bench()
    await history.measure('a')
    const stopped = history.measure(
      'b',
      ({ signal }) =>
        new Promise((_, fail) =>
          signal.addEventListener('abort', () => fail(new PerturbError('cancelled', 'stopped'))),
        ),
    )
    history.cancel()
    await stopped
    expect(named(history)).toEqual(['1 a'])
    expect([history.running, history.trouble]).toEqual([false, ''])
  })

  test('what fails is told, and the next run forgets the trouble', async () => {
    const { history } = bench()
    await history.measure('a', () => Promise.reject(new PerturbError('bad-input', 'no such thing')))
    expect(history.trouble).toMatch(/no such thing/)
    await history.measure('b')
    expect([history.trouble, ...named(history)]).toEqual(['', '1 b'])
  })
})
