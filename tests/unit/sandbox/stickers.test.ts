import '../../../src/core/cpu-backend.ts'
import { beforeAll, describe, expect, it } from 'vitest'
import * as tf from '../../../src/core/tf.ts'
import { runTrusted } from '../../../src/sandbox/run-in-node.ts'

const task = {
  victim: { model: 'm' },
  dataset: 'd',
  split: 'test' as const,
  ids: [],
  labels: [],
  values: {},
}
const run = async (main: string, seed = 5) => {
  const { outcome, console: lines } = await runTrusted({
    files: { 'main.ts': `import { stickers, submit, tf } from 'lab'\n${main}` },
    main: 'main.ts',
    task,
    seed,
    access: [],
    capabilities: () => Promise.reject(new Error('nothing is asked')),
  })
  return { outcome, lines }
}
const handedIn = async (main: string, seed?: number) => {
  const { outcome } = await run(main, seed)
  if (outcome.status !== 'finished' || outcome.artefact?.kind !== 'adversarial-examples')
    throw new Error(JSON.stringify(outcome))
  return [...outcome.artefact.pixels]
}
const still = '{ rotation: 0, scale: 1, right: 0, down: 0, light: 1 }'
const range = '{ rotation: 20, scale: 0.1, shift: 2, light: 0.2 }'

beforeAll(async () => void (await tf.setBackend('cpu')))

describe('stickers in a program', () => {
  it('are pasted where they belong, and pulled back by the transpose', async () => {
    expect(
      await handedIn(`
        const pasted = await stickers.paste(tf.fill([2, 2, 1], 0.5), tf.ones([1, 4, 4, 1]), [${still}])
        await submit({ ids: [1], x: pasted })`),
    ).toEqual([1, 1, 1, 1, 1, 0.5, 0.5, 1, 1, 0.5, 0.5, 1, 1, 1, 1, 1])
    expect(
      await handedIn(`
        const gradient = tf.reshape(tf.range(0, 32), [2, 4, 4, 1])
        const pulled = await stickers.pullBack(gradient, tf.fill([2, 2, 1], 0.5), [${still}, ${still}])
        await submit({ ids: [1], x: tf.stack([pulled]) })`),
    ).toEqual([5 + 21, 6 + 22, 9 + 25, 10 + 26])
  })

  it('are drawn by the run’s seed, other ones at each call, around the spot', async () => {
    const drawn = `
      const [first, second] = [stickers.draw(2, ${range}, { right: 5, down: 0 }), stickers.draw(2, ${range})]
      await submit({ ids: [1, 2], x: tf.tensor([...first, ...second].map((p) => p.right), [2, 2]) })`
    const places = await handedIn(drawn)
    expect(await handedIn(drawn)).toEqual(places)
    expect(await handedIn(drawn, 6)).not.toEqual(places)
    expect(new Set(places).size).toBe(4)
    for (const [i, right] of places.entries())
      expect(Math.abs(right - (i < 2 ? 5 : 0))).toBeLessThanOrEqual(2)
  })

  it.each([
    ['stickers.draw(-1, {})', /n must be a whole number; got -1/],
    ['stickers.draw(1)', /range must be \{ rotation, scale, shift, light \}; got nothing/],
    [
      `await stickers.paste(tf.ones([2, 2]), tf.ones([1, 4, 4, 1]), [${still}])`,
      /sticker must have the shape/,
    ],
    ['await stickers.paste(tf.ones([2, 2, 1]), tf.ones([1, 4, 4, 1]), [])', /one placement a picture/],
    [`await stickers.pullBack(3, tf.ones([2, 2, 1]), [${still}])`, /gradient must be a tensor; got 3/],
  ])('refuse %s', async (main, message) => {
    const { outcome } = await run(main)
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { message: expect.stringMatching(message) as string },
    })
  })
})
