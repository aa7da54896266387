import { beforeAll, describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { accuracy } from '../../../src/models/accuracy.ts'
import { collectRecipes, recipe, recipes } from '../../../src/models/architectures.ts'
import { loadModel } from '../../../src/models/load.ts'

/** What each shipped model must read of its test split; its card says what it does read. */
const leastAccuracy: Record<string, number> = {
  'digits-cnn': 0.97,
  'digits-mini': 0.95,
  'signs-cnn': 0.97,
  'faces-cnn': 0.98,
  'fraud-mlp': 0.98,
}

describe('every shipped model', () => {
  beforeAll(() => startBackend('wasm', readStatic))

  it.each(Object.keys(recipes))('%s: as its recipe says, and as good as it must be', async (name) => {
    const { architecture, dataset } = recipe(name)
    const data = await loadDataSet(dataset, readStatic)
    expect(architecture.inputShape).toEqual(data.shape)
    expect(architecture.classes).toEqual(data.classes)
    const model = await loadModel(name, readStatic)
    expect(model.architecture).toEqual(architecture)
    expect(await accuracy(model, data.test)).toBeGreaterThanOrEqual(leastAccuracy[name] ?? 0.9)
    model.dispose()
  })
})

describe('collectRecipes', () => {
  it('refuses a file without a recipe, and one named otherwise than its architecture', () => {
    expect(() => collectRecipes({ './recipes/empty.ts': undefined })).toThrow(
      "./recipes/empty.ts: a recipe's file must export it as `recipe`",
    )
    expect(() => collectRecipes({ './recipes/digits.ts': recipe('digits-cnn') })).toThrow(
      'the architecture\'s name must be the file\'s, "digits"; got "digits-cnn"',
    )
  })

  it('names the models there are', () => {
    expect(() => recipe('digit-cnn')).toThrow('no model "digit-cnn"; the models are digits-cnn')
    expect(() => recipe('constructor')).toThrow('no model "constructor"')
  })
})
