import { describe, expect, test } from 'vitest'
import { EngineMeasure } from '../../../src/app/engine-measure.svelte.ts'
import type { LabSession } from '../../../src/app/lab-session.svelte.ts'
import { PerturbError } from '../../../src/core/errors.ts'

interface Call {
  params: { ask: string }
  signal: AbortSignal
  onProgress(done: number, total: number): void
  answer(value: unknown): void
  fail(error: unknown): void
}

function measuring() {
  const calls: Call[] = []
  const session = {
    seed: 1,
    engine: {
      call: (
        _: string,
        params: Call['params'],
        { signal, onProgress }: Pick<Call, 'signal' | 'onProgress'>,
      ) =>
        new Promise((answer, fail) => {
          signal.addEventListener('abort', () => fail(new PerturbError('cancelled', 'stopped')))
          calls.push({ params, signal, onProgress, answer, fail })
        }),
    },
  }
  const bench = new EngineMeasure<string>(session as unknown as LabSession, 'anything')
  const soon = () => new Promise((done) => setTimeout(done))
  return { bench, calls, session, soon }
}

describe('a widget’s measurement', () => {
  test('tells how far it is, and what came of it', async () => {
    const { bench, calls, soon } = measuring()
    const done = bench.measure({ ask: 'a' })
    await soon()
    expect(bench.running).toBe(true)
    calls[0]!.onProgress(1, 4)
    expect(bench.progress).toBe(0.25)
    calls[0]!.answer('first')
    await done
    expect(bench.result).toBe('first')
    expect(bench.running).toBe(false)
  })

  test('is answered by a result of this variant or by trouble, not by being stopped', async () => {
    const { bench, calls, session, soon } = measuring()
    expect(bench.isAnswered).toBe(false)
    const stopped = bench.measure({ ask: 'a' })
    await soon()
    bench.cancel()
    await stopped
    expect(bench.isAnswered).toBe(false)
    const known = bench.measure({ ask: 'b' })
    await soon()
    calls[1]!.answer('known')
    await known
    expect(bench.isAnswered).toBe(true)
    session.seed = 2
    expect(bench.isAnswered).toBe(false)
    const failed = bench.measure({ ask: 'c' })
    await soon()
    calls[2]!.fail(new PerturbError('missing', 'no such model'))
    await failed
    expect(bench.isAnswered).toBe(true)
  })

  test('gives up for the next one, and the last asked for wins', async () => {
    const { bench, calls, soon } = measuring()
    void bench.measure({ ask: 'a' })
    await soon()
    void bench.measure({ ask: 'b' })
    const last = bench.measure({ ask: 'c' })
    await soon()
    expect(calls[0]!.signal.aborted).toBe(true)
    expect(calls.map(({ params }) => params.ask)).toEqual(['a', 'c'])
    calls[1]!.answer('third')
    await last
    expect(bench.result).toBe('third')
    expect(bench.trouble).toBe('')
  })

  test('keeps what was measured when the next one fails or is stopped, and says why it failed', async () => {
    const { bench, calls, soon } = measuring()
    const first = bench.measure({ ask: 'a' })
    await soon()
    calls[0]!.answer('first')
    await first
    const second = bench.measure({ ask: 'b' })
    await soon()
    calls[1]!.fail(new PerturbError('missing', 'no such data set'))
    await second
    expect([bench.result, bench.trouble]).toEqual(['first', 'no such data set'])
    const third = bench.measure({ ask: 'c' })
    await soon()
    bench.cancel()
    await third
    expect([bench.result, bench.trouble, bench.running]).toEqual(['first', '', false])
  })

  test('forgets another variant’s result', async () => {
    const { bench, calls, session, soon } = measuring()
    const first = bench.measure({ ask: 'a' })
    await soon()
    calls[0]!.answer('first')
    await first
    session.seed = 2
    void bench.measure({ ask: 'b' })
    await soon()
    expect(bench.result).toBeUndefined()
  })
})
