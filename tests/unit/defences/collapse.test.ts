import { describe, expect, test } from 'vitest'
import { findCollapse } from '../../../src/defences/training/collapse.ts'

const curve = (points: [number, number, number?, number?][]) =>
  points.map(([step, loss, fgsm, pgd]) => ({
    step,
    loss,
    ...(fgsm === undefined ? {} : { cleanAccuracy: 0.97, fgsmAccuracy: fgsm, pgdAccuracy: pgd! }),
  }))

describe('findCollapse', () => {
  test('tells a network that withstands one step only from one that withstands many', () => {
    const overfit = curve([
      [100, 1.2, 0.6, 0.3],
      [200, 0.9, 0.7, 0.4],
      [300, 0.5, 0.79, 0.07],
    ])
    expect(findCollapse(overfit, 10)).toEqual({
      kind: 'catastrophic-overfitting',
      step: 300,
      fgsm: 0.79,
      pgd: 0.07,
      bestPgd: 0.4,
    })
    // It was never there: weak, not collapsed.
    expect(findCollapse(overfit.slice(0, 2), 10)).toBeUndefined()
    expect(findCollapse(curve([[100, 0.3, 0.5, 0.01]]), 10)).toBeUndefined()
    // One step is withstood by nearly all, many by nobody, from the beginning: the same fault.
    expect(
      findCollapse(
        curve([
          [100, 0.3, 0.4, 0],
          [200, 0.3, 0.83, 0],
        ]),
        10,
      ),
    ).toMatchObject({ bestPgd: 0 })
    // Both fall together: another trouble.
    expect(
      findCollapse(
        curve([
          [1, 1, 0.7, 0.6],
          [2, 1, 0.4, 0.3],
        ]),
        10,
      ),
    ).toBeUndefined()
  })

  test('tells a loss that stands at the logarithm of the classes', () => {
    const stuck = curve([
      [10, 2.6],
      [20, 2.33],
      [30, 2.31],
      [40, 2.304],
    ])
    expect(findCollapse(stuck, 10)).toMatchObject({ kind: 'stuck', step: 40, loss: 2.304 })
    expect(findCollapse(stuck, 20)).toBeUndefined()
    expect(findCollapse([...stuck, ...curve([[50, 1.9]])], 10)).toBeUndefined()
  })

  test('says nothing of a healthy curve, of one point, and of none', () => {
    expect(
      findCollapse(
        curve([
          [100, 1.2, 0.6, 0.5],
          [200, 0.6, 0.8, 0.74],
        ]),
        10,
      ),
    ).toBeUndefined()
    expect(findCollapse(curve([[10, 2.3]]), 10)).toBeUndefined()
    expect(findCollapse([], 10)).toBeUndefined()
  })
})
