import { describe, expect, test } from 'vitest'
import {
  collisionKnobs,
  collisionWords,
  readCollisionSetup,
} from '../../../src/app/collision-bench.svelte.ts'
import type { Collided } from '../../../src/engine/methods/collide.ts'

describe('the collision bench', () => {
  test('reads its directive, and falls back where a number is none', () => {
    expect(readCollisionSetup({ checkpoint: 'a', epsilon: '0.2', steps: '12.4', neighbours: '0' })).toEqual({
      checkpoint: 'a',
      epsilon: 0.2,
      steps: 12,
      count: 12,
      neighbours: 1,
    })
    expect(readCollisionSetup({ epsilon: 'much', count: '-3' })).toMatchObject({ epsilon: 0.1, count: 12 })
  })

  test('offers no more poisons than there are pictures', () => {
    expect(collisionKnobs(12).count.max).toBe(12)
  })

  test('says what came of a run, also of one that changed nothing', () => {
    const read = { chance: 0.9, read: 1, accuracy: 0.95 }
    const run = {
      left: 0.456,
      after: read,
      filter: { caught: 3, lost: 0.081, reading: { ...read, read: 0 } },
    } as Collided
    const name = (label: number) => ['stop', 'yield'][label]!
    expect(collisionWords(run, name)).toBe(
      '46 % of the distance in the features is left. The target is read as yield; behind deep k-NN, which drops 3 of the poisons and 8.1 % of the honest pictures, as stop.',
    )
    expect(collisionWords({ ...run, left: NaN }, name)).toMatch(/^No picture was changed\./)
  })
})
