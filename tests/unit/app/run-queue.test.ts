import { describe, expect, test } from 'vitest'
import { RunQueue } from '../../../src/app/run-queue.svelte.ts'
import { PerturbError } from '../../../src/core/errors.ts'

describe('the run queue', () => {
  test('counts, estimates the time left from the pace, and says how long it took', async () => {
    let now = 0
    const queue = new RunQueue(() => now)
    await queue.run('Work', async ({ progress }) => {
      expect(queue.secondsLeft).toBeUndefined()
      now = 2000
      progress(1, 4)
      expect(queue.secondsLeft).toBe(6)
      now = 8000
      progress(4, 4)
    })
    expect(queue.phase).toBe('finished')
    expect(queue.seconds).toBe(8)
  })

  test('refuses a second run while one is under way', async () => {
    const queue = new RunQueue()
    let finish!: () => void
    const first = queue.run('First', () => new Promise<void>((resolve) => (finish = resolve)))
    await expect(queue.run('Second', async () => {})).rejects.toThrow('First is still running')
    finish()
    await first
  })

  test('a cancelled run says what is kept and resolves with nothing', async () => {
    const queue = new RunQueue()
    const run = queue.run('Work', async ({ signal, progress }) => {
      progress(3, 10)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new PerturbError('cancelled', 'Stopped.')
    })
    queue.cancel()
    expect(await run).toBeUndefined()
    expect(queue.phase).toBe('cancelled')
    expect(queue.message).toBe('Stopped at 3 of 10; what was finished is kept.')
  })

  test('an error is told and thrown on', async () => {
    const queue = new RunQueue()
    await expect(queue.run('Work', async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(queue.phase).toBe('failed')
    expect(queue.message).toBe('no')
    queue.clear()
    expect(queue.phase).toBe('idle')
  })
})
