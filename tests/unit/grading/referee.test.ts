import { beforeAll, describe, expect, test } from 'vitest'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { defineLab, type LabGrader } from '../../../src/grading/grader.ts'
import {
  diagnoseDirection,
  gradientOf,
  linfRow,
  measureExamples,
  rangeRow,
} from '../../../src/grading/evasion.ts'
import { gradeArtefact, taskOf, variantOf, type RefereeTools } from '../../../src/grading/referee.ts'
import { atLeast, conclude } from '../../../src/grading/rows.ts'
import { correctlyRead } from '../../../src/grading/sampling.ts'
import { quizCheckpoint } from '../../../src/grading/quiz.ts'
import type { Architecture, Weight } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'

// A linear model on pictures of 2 × 2 with three classes: what it does fits on paper.
const architecture: Architecture = {
  name: 'tiny',
  inputShape: [2, 2, 1],
  numClasses: 3,
  bounds: [0, 1],
  classes: ['a', 'b', 'c'],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 3 }],
}
const weights = (): Weight[] => [
  {
    name: 'dense/kernel',
    shape: [4, 3],
    values: Float32Array.of(4, -2, -1, -1, 4, -2, -2, -1, 4, 1, -1, 0.5),
  },
  { name: 'dense/bias', shape: [3], values: new Float32Array(3) },
]
/** Class i has its i-th pixel dark; every fifth picture has the wrong label. */
const pictures = Array.from({ length: 60 }, (_, i) => [0, 1, 2, 3].map((p) => (p === i % 3 ? 0.7 : 0.2)))
const labels = Uint8Array.from(pictures, (_, i) => (i % 5 === 4 ? (i + 1) % 3 : i % 3))
const split: Split = {
  count: pictures.length,
  labels,
  pixels: (ids) => Float32Array.from(Array.from(ids).flatMap((id) => pictures[id]!)),
  images: (ids) => tf.tensor(split.pixels(ids), [ids.length, 2, 2, 1]),
}
const dataset: DataSet = {
  name: 'pictures',
  noun: 'picture',
  shape: [2, 2, 1],
  classes: ['a', 'b', 'c'],
  train: split,
  test: split,
}

let tools: RefereeTools
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  const model = createModel(architecture, weights())
  tools = {
    model: async () => model,
    dataset: async () => dataset,
    modelWithWeights: async (_, other) => createModel(architecture, other),
  }
})

const epsilon = 0.3
const lab = defineLab<{ sample: number }>({
  variant: (rng) => ({ sample: rng.uint32() }),
  checkpoints: {
    fooled: {
      accepts: 'adversarial-examples',
      async task({ sample }, trusted) {
        const drawn = await correctlyRead({
          model: await trusted.model('tiny'),
          dataset: await trusted.dataset('pictures'),
          split: 'test',
          seed: sample,
          count: 12,
        })
        return {
          victim: { model: 'tiny' },
          dataset: 'pictures',
          split: 'test',
          ...drawn,
          values: { epsilon },
        }
      },
      async grade({ task, artefact, trusted }) {
        if (artefact.kind !== 'adversarial-examples') throw new TypeError(artefact.kind)
        const measured = await measureExamples({
          task,
          examples: artefact,
          model: await trusted.model('tiny'),
          dataset: await trusted.dataset('pictures'),
          limit: epsilon,
          succeeds: (read, row) => read !== task.labels[row],
        })
        const rows = [
          atLeast(9, { id: 'fooled', name: 'Misread', measured: measured.hits }),
          linfRow(measured, epsilon),
          rangeRow(measured),
        ]
        return conclude({ headline: `${measured.hits} misread`, rows, gallery: measured.gallery })
      },
    },
    repaired: {
      accepts: 'model-weights',
      task: () => ({
        victim: { model: 'tiny' },
        dataset: 'pictures',
        split: 'test',
        ids: [],
        labels: [],
        values: {},
      }),
      async grade({ artefact }) {
        if (artefact.kind !== 'model-weights') throw new TypeError(artefact.kind)
        return conclude({
          headline: 'weights',
          rows: [
            atLeast(0, { id: 'first', name: 'First weight', measured: artefact.tensors[0]!.values[0]! }),
          ],
        })
      },
    },
    again: {
      accepts: 'adversarial-examples',
      async task(_, trusted) {
        const drawn = await correctlyRead({
          model: await trusted.modelFrom('repaired'),
          dataset,
          split: 'test',
          seed: 1,
          count: 3,
        })
        return {
          victim: { model: 'tiny', weightsFrom: 'repaired' },
          dataset: 'pictures',
          split: 'test',
          ...drawn,
          values: {},
        }
      },
      async grade({ trusted }) {
        await trusted.modelFrom('repaired')
        return conclude({ headline: 'again', rows: [] })
      },
    },
    broken: {
      accepts: 'answer',
      task: () => ({ victim: { model: '' }, dataset: '', split: 'test', ids: [], labels: [], values: {} }),
      grade: () => Promise.reject(new Error('the grader has a fault')),
    },
    quiz: quizCheckpoint('quiz', [
      {
        id: 'quiz',
        options: [
          { id: 'a', right: false },
          { id: 'b', right: true },
          { id: 'c', right: true },
        ],
      },
    ]),
  },
}) as LabGrader

const grade = (checkpoint: string, artefact: unknown, earlier?: Record<string, unknown>, seed = 5) =>
  gradeArtefact(lab, { checkpoint, seed, artefact, ...(earlier ? { earlier } : {}) }, tools)
const repair = () => ({ kind: 'model-weights', model: 'tiny', tensors: weights() })

/** An attack by hand: every pixel by `step` along the sign of the gradient for `wrong`, or the true label. */
async function attacked(step: number, options: { clip?: boolean; label?: (y: number) => number } = {}) {
  const { clip = true, label = (y) => y } = options
  const task = await taskOf(lab, { checkpoint: 'fooled', seed: 5 }, tools)
  const shape = [task.ids.length, 2, 2, 1]
  const x = split.pixels(task.ids)
  const gradient = await gradientOf(await tools.model('tiny'), x, shape, task.labels.map(label))
  const moved = x.map((pixel, i) => pixel + step * Math.sign(gradient[i]!))
  const pixels = clip ? moved.map((pixel) => Math.min(1, Math.max(0, pixel))) : moved
  return { task, artefact: { kind: 'adversarial-examples' as const, ids: task.ids, shape, pixels } }
}

describe('the referee', () => {
  test('draws the same variant and task from a seed, of images that are read correctly', async () => {
    expect(await variantOf(lab, 5, tools)).toEqual(await variantOf(lab, 5, tools))
    expect(await variantOf(lab, 5, tools)).not.toEqual(await variantOf(lab, 6, tools))
    const task = await taskOf(lab, { checkpoint: 'fooled', seed: 5 }, tools)
    expect(task).toEqual(await taskOf(lab, { checkpoint: 'fooled', seed: 5 }, tools))
    expect(task.ids.every((id) => id % 5 !== 4)).toBe(true)
    expect(new Set(task.ids).size).toBe(12)
  })

  test('passes a right step and fails one downhill, leaking nothing', async () => {
    const { artefact } = await attacked(epsilon)
    const before = tf.memory().numTensors
    expect(await grade('fooled', artefact)).toMatchObject({
      status: 'passed',
      rows: [{ measured: 12 }, { satisfied: true }, { satisfied: true }],
    })
    expect(await grade('fooled', (await attacked(-epsilon)).artefact)).toMatchObject({
      status: 'failed',
      rows: [{ measured: 0 }, { satisfied: true }, { satisfied: true }],
    })
    expect(tf.memory().numTensors).toBe(before)
  })

  test('a step too far and a pixel off the page each fail their own row', async () => {
    const far = await grade('fooled', (await attacked(2 * epsilon)).artefact)
    expect(far.rows.map((row) => row.satisfied)).toEqual([true, false, true])
    const off = await grade('fooled', (await attacked(epsilon, { clip: false })).artefact)
    expect(off.rows.map((row) => row.satisfied)).toEqual([true, true, false])
    expect([far.status, off.status]).toEqual(['failed', 'failed'])
  })

  test('rejects what is malformed, also for other seeds, and says unavailable when it fails itself', async () => {
    const { artefact } = await attacked(epsilon)
    expect(await grade('fooled', { ...artefact, ids: [...artefact.ids].reverse() })).toMatchObject({
      status: 'rejected',
    })
    expect(await grade('fooled', artefact, undefined, 6)).toMatchObject({
      status: 'rejected',
      headline: expect.stringMatching(/your own variant/) as string,
    })
    expect(await grade('broken', { kind: 'answer', choices: {} })).toMatchObject({
      status: 'unavailable',
      finding: { cause: 'the grader has a fault' },
    })
    expect(await grade('nowhere', artefact)).toMatchObject({
      status: 'unavailable',
      finding: { cause: expect.stringMatching(/no checkpoint "nowhere"/) as string },
    })
    expect(await grade('constructor', artefact)).toMatchObject({ status: 'unavailable' })
    expect(await grade('fooled', artefact, undefined, -1)).toMatchObject({ status: 'unavailable' })
  })

  test('attacks an earlier model only when it passed, and frees it', async () => {
    await expect(taskOf(lab, { checkpoint: 'again', seed: 5 }, tools)).rejects.toThrow(
      /nothing is handed in there yet/,
    )
    const before = tf.memory().numTensors
    const earlier = { repaired: repair() }
    const task = await taskOf(lab, { checkpoint: 'again', seed: 5, earlier }, tools)
    const artefact = {
      kind: 'adversarial-examples',
      ids: task.ids,
      shape: [3, 2, 2, 1],
      pixels: split.pixels(task.ids),
    }
    expect(await grade('again', artefact, earlier)).toMatchObject({ status: 'passed' })
    expect(await grade('again', artefact)).toMatchObject({
      status: 'rejected',
      finding: { next: 'Next: pass "repaired" first, then come back.' },
    })
    const weak = repair()
    weak.tensors[0]!.values[0] = -9
    expect(await grade('again', artefact, { repaired: weak })).toMatchObject({
      status: 'rejected',
      headline: expect.stringMatching(/has not passed/) as string,
    })
    expect(await grade('again', artefact, { repaired: { kind: 'model-weights' } })).toMatchObject({
      status: 'rejected',
    })
    expect(
      await grade('again', artefact, Object.create({ repaired: repair() }) as Record<string, unknown>),
    ).toMatchObject({ status: 'rejected' })
    expect(tf.memory().numTensors).toBe(before)
  })

  test.each([
    [['b', 'c'], 'passed', 'right'],
    [['b'], 'failed', 'wrong-answer'],
    [['a', 'b', 'c'], 'failed', 'wrong-answer'],
    [[], 'failed', 'unanswered'],
    [['z'], 'rejected', 'malformed'],
  ])('a quiz answered %j is %s (%s)', async (chosen, status, id) => {
    expect(await grade('quiz', { kind: 'answer', choices: { quiz: chosen } })).toMatchObject({
      status,
      finding: { id },
    })
  })
})

describe('telling what a step was made of', () => {
  const explain = async (step: number, label?: (y: number) => number, target?: number) => {
    const { task, artefact } = await attacked(step, label ? { label } : {})
    const measured = await measureExamples({
      task,
      examples: artefact,
      model: await tools.model('tiny'),
      dataset,
      limit: epsilon,
      succeeds: () => true,
    })
    return diagnoseDirection(measured, await tools.model('tiny'), target)
  }
  test.each<[string, number, ((y: number) => number) | undefined, object]>([
    ['the right step', 0.1, undefined, { kind: 'true', direction: 'climbs' }],
    ['descent', -0.1, undefined, { kind: 'true', direction: 'descends' }],
    ['one class for all', 0.1, () => 2, { kind: 'fixed', value: 2, direction: 'climbs' }],
    ['shifted labels', 0.1, (y) => (y + 1) % 3, { kind: 'shifted', value: 1, direction: 'climbs' }],
    ['towards one class', -0.1, () => 1, { kind: 'fixed', value: 1, direction: 'descends' }],
  ])('%s', async (_, step, label, explanation) => {
    expect((await explain(step, label)).explanation).toMatchObject(explanation)
  })

  test('towards and away from the target', async () => {
    expect((await explain(-0.1, () => 1, 1)).explanation).toMatchObject({
      kind: 'target',
      direction: 'descends',
    })
    expect((await explain(0.1, () => 1, 1)).explanation).toMatchObject({
      kind: 'target',
      direction: 'climbs',
    })
  })

  test('a sign step is even, a gradient step is not', async () => {
    const even = await explain(0.1)
    expect(even.agreement).toBe(1)
    expect(even.evenness).toBeCloseTo(1, 5)
    const { task } = await attacked(0)
    const model = await tools.model('tiny')
    const shape = [task.ids.length, 2, 2, 1]
    const x = split.pixels(task.ids)
    const gradient = await gradientOf(model, x, shape, task.labels)
    const examples = {
      kind: 'adversarial-examples' as const,
      ids: task.ids,
      shape,
      pixels: x.map((pixel, i) => pixel + 0.01 * gradient[i]!),
    }
    const measured = await measureExamples({
      task,
      examples,
      model,
      dataset,
      limit: epsilon,
      succeeds: () => true,
    })
    expect((await diagnoseDirection(measured, model)).evenness).toBeLessThan(0.8)
  })
})

describe('sampling', () => {
  test('draws only accepted labels, and says when there are too few', async () => {
    const model = await tools.model('tiny')
    const drawn = await correctlyRead({
      model,
      dataset,
      split: 'test',
      seed: 1,
      count: 5,
      accept: (label) => label === 2,
    })
    expect(drawn.labels).toEqual([2, 2, 2, 2, 2])
    await expect(correctlyRead({ model, dataset, split: 'test', seed: 1, count: 50 })).rejects.toThrow(
      /50 images of pictures\/test are needed and 48/,
    )
  })
})
