import { expect, test } from 'vitest'
import { shareVictim } from '../../../src/app/share-victim.ts'

const worker = (answer: (method: string, params: unknown) => unknown) => {
  const asked: [string, unknown][] = []
  const call = async (method: string, params: unknown) => {
    asked.push([method, params])
    return answer(method, params)
  }
  return { asked, call }
}

test('the engine takes the referee’s weights once, and asks for none when it has some', async () => {
  const weights = [{ name: 'dense/kernel', shape: [1], values: Float32Array.of(1) }]
  const referee = worker(() => weights)
  const poor = worker((_, params) => 'weights' in (params as object))
  await shareVictim({ model: 'postcode-cnn', seed: 3 }, { engine: poor, referee })
  expect(poor.asked.at(-1)).toEqual(['adopt-seeded', { model: 'postcode-cnn', seed: 3, weights }])
  const rich = worker(() => true)
  await shareVictim({ model: 'postcode-cnn', seed: 3 }, { engine: rich, referee })
  expect(referee.asked).toHaveLength(1)
})

test('a shipped victim needs no sharing, and sharing that fails stops nothing but a cancelled run', async () => {
  const broken = worker(() => Promise.reject(new Error('gone')))
  await shareVictim({ model: 'digits-cnn' }, { engine: broken, referee: broken })
  expect(broken.asked).toEqual([])
  await shareVictim({ model: 'postcode-cnn', seed: 3 }, { engine: broken, referee: broken })
  await expect(
    shareVictim({ model: 'postcode-cnn', seed: 3 }, { engine: broken, referee: broken }, AbortSignal.abort()),
  ).rejects.toThrow('gone')
})
