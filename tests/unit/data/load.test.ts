import { describe, expect, it } from 'vitest'
import { createHash } from 'node:crypto'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { loadDataSet } from '../../../src/data/load.ts'

describe('loadDataSet', () => {
  it('decodes MNIST exactly, interleaved by class', async () => {
    const data = await loadDataSet('mnist10k', readStatic)
    expect(data.shape).toEqual([28, 28, 1])
    expect(data.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect([data.train.count, data.test.count]).toEqual([8000, 2000])
    expect(Array.from(data.test.labels.slice(0, 10))).toEqual([8, 3, 9, 5, 7, 2, 6, 0, 1, 4])
    const perClass = new Array<number>(10).fill(0)
    for (const label of data.test.labels) perClass[label]!++
    expect(perClass).toEqual(new Array(10).fill(200))
  })

  it.each([
    ['mnist10k', 2000, '528297be2938a5b8223dff33d4bcbaf355089354852080b2dae8de42a4f4ff0b'],
    ['signs12', 600, 'c855e8ece64f98196fab917dba9ff5005edef740298326cdd39bfcb8eacdd68d'],
    ['faces12', 360, 'c5e20d001e01fb67511e3dc06d1ee991209a048e623f912bdcc2fd40f447bcb2'],
  ])('gives the pixels of %s that an independent PNG decoder gives', async (name, count, sum) => {
    const data = await loadDataSet(name, readStatic)
    expect(data.test.count).toBe(count)
    const bytes = Uint8Array.from(data.test.pixels(Array.from({ length: count }, (_, i) => i)), (v) =>
      Math.round(v * 255),
    )
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sum)
  })

  it.each(['signs12', 'faces12'])('decodes the colour set %s, twelve classes in turn', async (name) => {
    const data = await loadDataSet(name, readStatic)
    expect(data.shape[2]).toBe(3)
    expect(data.classes).toHaveLength(12)
    for (const { labels, count } of [data.train, data.test])
      expect(labels).toEqual(Uint8Array.from({ length: count }, (_, i) => i % 12))
    expect(data.test.pixels([5, 0])).toHaveLength(2 * data.shape[0] * data.shape[1] * 3)
  })

  it('keeps pixels in [0, 1] and in the order asked for, and leaks nothing', async () => {
    await startBackend('wasm', readStatic)
    const data = await loadDataSet('mnist10k', readStatic)
    const before = tf.memory().numTensors
    const images = data.train.images([7, 3])
    expect(images.shape).toEqual([2, 28, 28, 1])
    const values = await images.data()
    expect(values.slice(784)).toEqual(data.train.pixels([3]))
    expect(Math.min(...values)).toBe(0)
    expect(Math.max(...values)).toBe(1)
    images.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('refuses an id that does not exist', async () => {
    const data = await loadDataSet('mnist10k', readStatic)
    for (const id of [-1, 2000, 1.5, Number.NaN]) {
      expect(() => data.test.pixels([id])).toThrow(
        `data/mnist10k/test.png: no image ${id}; ids are whole numbers from 0 to 1999`,
      )
    }
  })

  it('names a file that was cut short, changed or is missing', async () => {
    const cutShort = async (path: string) => {
      const bytes = await readStatic(path)
      return path.endsWith('test.png') ? bytes.slice(0, 1000) : bytes
    }
    await expect(loadDataSet('mnist10k', cutShort)).rejects.toMatchObject({
      code: 'checksum',
      message: expect.stringContaining('data/mnist10k/test.png is cut short after 1000 bytes'),
    })
    const flipped = async (path: string) => {
      const bytes = await readStatic(path)
      if (path.endsWith('train.png')) bytes[5000]! ^= 1
      return bytes
    }
    await expect(loadDataSet('mnist10k', flipped)).rejects.toMatchObject({
      code: 'checksum',
      message: expect.stringContaining('data/mnist10k/train.png was changed'),
    })
    const gone = async () => Promise.reject(new Error('404'))
    await expect(loadDataSet('mnist10k', gone)).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringContaining('data/mnist10k/header.json: could not be read (404)'),
    })
    await expect(loadDataSet('nowhere', readStatic)).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringContaining('data/nowhere/header.json'),
    })
  })
})
