import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readShelf } from '../../../src/build/lab-folder.ts'
import { runTrace } from '../../../src/cli/lab-traces.ts'
import { repository } from '../../../src/cli/node-platform.ts'
import { loadTrace } from '../../../src/labs/trace.ts'

const named = readShelf(repository).slugs.flatMap((slug) => {
  const guide = readFileSync(join(repository, 'labs', slug, 'guide.md'), 'utf8')
  return [...guide.matchAll(/::widget\{kind=training-trace trace=([a-z0-9-]+)\}/g)].map(
    ([, trace]) => [slug, trace!] as const,
  )
})

describe('traces', () => {
  test.each(named)('labs/%s/traces/%s.json is there and was measured', async (slug, name) => {
    const { title, params, history } = await loadTrace(slug, name)
    expect(title).not.toBe('')
    expect(params.recipe).toBeTypeOf('string')
    expect(history.length).toBeGreaterThan(5)
    expect(history.at(-1)!.cleanAccuracy).toBeTypeOf('number')
  })

  test('every trace of a folder stands in its guide', () => {
    for (const slug of new Set(named.map(([slug]) => slug))) {
      const files = readdirSync(join(repository, 'labs', slug, 'traces')).map((file) => file.slice(0, -5))
      expect(files.sort()).toEqual(named.flatMap(([lab, name]) => (lab === slug ? [name] : [])).sort())
    }
  })

  test('one that is not there is told with those that are', async () => {
    await expect(loadTrace('evasion-adversarial-training', 'z')).rejects.toThrow(
      'no trace "z" in labs/evasion-adversarial-training/traces/; there are a, b, c',
    )
  })

  test('measuring runs the training that is described, the same each time', async () => {
    const params = {
      model: 'digits-cnn',
      dataset: 'mnist10k',
      recipe: 'fast-training',
      images: 64,
      epochs: 1,
      batchSize: 16,
      seed: 1,
      readings: 0,
    }
    const history = await runTrace({ params })
    expect(history.at(-1)).toMatchObject({ step: 4, cleanAccuracy: expect.any(Number) })
    expect(await runTrace({ params })).toEqual(history)
  })
})
