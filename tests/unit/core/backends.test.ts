import { describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'

describe('backends', () => {
  it('starts WASM from injected bytes and computes', async () => {
    await startBackend('wasm', readStatic)
    expect(tf.getBackend()).toBe('wasm')
    const sum = tf.tidy(() => tf.sum(tf.tensor([1, 2, 3])))
    expect(Array.from(await sum.data())).toEqual([6])
    sum.dispose()
  })
})
