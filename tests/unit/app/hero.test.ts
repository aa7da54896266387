import { describe, expect, it, vi } from 'vitest'
import { Hero, type HeroEngine } from '../../../src/app/hero.svelte.ts'
import type { AttackImagesParams } from '../../../src/engine/methods/attack-images.ts'

/** A reader that says "8" above ε 0.05 and answers only when it is told to. */
function slowEngine() {
  const waiting: (() => void)[] = []
  const asked: number[] = []
  const attack = (params: AttackImagesParams) =>
    new Promise<never>((resolve) => {
      const epsilon = Number(params.options.epsilon)
      asked.push(epsilon)
      const read = epsilon > 0.05 ? 8 : 3
      waiting.push(() =>
        resolve({
          delta: new Float32Array(784).fill(epsilon),
          adversarial: new Float32Array(784),
          logitsBefore: new Float32Array(10),
          logitsAfter: new Float32Array(10),
          readBefore: Int32Array.of(3),
          readAfter: Int32Array.of(read),
        } as never),
      )
    })
  const engine: HeroEngine = {
    start: async () => undefined,
    predict: async () => ({ logits: new Float32Array(10), read: Int32Array.of(3) }),
    attack,
    sweep: async ({ values }) => ({
      points: values.map((value) => ({ value, share: value >= 0.055 ? 1 : 0, low: 0, high: 1 })),
    }),
  }
  const answer = async () => {
    await vi.waitFor(() => expect(waiting.length).toBeGreaterThan(0))
    waiting.shift()!()
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { engine, asked, answer }
}
const picture = () => ({ pixels: new Float32Array(784).fill(0.5) })

describe('the bench of the home page', () => {
  it('asks one thing at a time and skips every ε but the latest', async () => {
    const { engine, asked, answer } = slowEngine()
    const hero = new Hero(engine)
    await hero.start()
    const shown = hero.show({ ...picture(), truth: 3 })
    for (const epsilon of [0.01, 0.02, 0.03, 0.2]) void hero.setEpsilon(epsilon)
    await answer()
    await answer()
    await shown
    expect(asked).toEqual([0.08, 0.2])
    expect(hero.reading).toMatchObject({ epsilon: 0.2, truth: 3, readAfter: 8 })
    hero.close()
  })

  it('drops the reading of a picture that was replaced or cleared meanwhile', async () => {
    const { engine, answer } = slowEngine()
    const hero = new Hero(engine)
    await hero.start()
    const first = picture()
    const second = picture()
    void hero.show(first)
    void hero.show(second)
    await answer()
    await answer()
    expect(hero.reading?.pixels).toBe(second.pixels)
    void hero.setEpsilon(0.1)
    void hero.show(undefined)
    await answer()
    expect(hero.reading).toBeUndefined()
    hero.close()
  })

  it('marks where the reading first changes', async () => {
    const { engine, answer } = slowEngine()
    const hero = new Hero(engine)
    await hero.start()
    void hero.show(picture())
    await answer()
    expect(hero.firstFlip.state).toBe('searching')
    await vi.waitFor(() => expect(hero.firstFlip).toEqual({ state: 'found', epsilon: 0.055 }))
    hero.close()
  })

  it('keeps what was drawn while the reader is fetched, says why it cannot start, and can be started again', async () => {
    const { engine, answer } = slowEngine()
    let broken = true
    const hero = new Hero({
      ...engine,
      start: async () => (broken ? Promise.reject(new Error('no WebAssembly here')) : undefined),
    })
    await hero.start()
    expect([hero.phase, hero.problem]).toEqual(['unavailable', 'no WebAssembly here'])
    await hero.show(picture())
    expect(hero.reading).toBeUndefined()
    broken = false
    const again = hero.start()
    await answer()
    await again
    expect(hero.phase).toBe('ready')
    expect(hero.reading?.readBefore).toBe(3)
    hero.close()
  })
})
