import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { shapiroWilk } from '../../../src/core/statistics.ts'
import type { Task } from '../../../src/grading/grader.ts'
import { runTrusted } from '../../../src/sandbox/run-in-node.ts'

beforeAll(() => startBackend('cpu', readStatic))

const task: Task = {
  victim: { model: 'tiny' },
  dataset: 'tiny',
  split: 'test',
  ids: [3],
  labels: [0],
  values: {},
}
const capabilities = async (name: string, args: unknown[]) => {
  if (name === 'log.accounts') return { honest: [0], today: [3] }
  if (name === 'log.times' && args[0] === 3) return Float64Array.of(0, 4.5)
  if (name === 'log.entries' && args[0] === 3)
    return {
      answers: Int32Array.of(7, 1, 7),
      confidences: Float32Array.of(0.5, 1, 0.75),
      distances: Float32Array.of(0, 2, 3, 2, 0, 4, 3, 4, 0),
    }
  throw new Error(`nobody asked for ${name} ${args.join()}`)
}
async function printed(program: string, access = ['log']): Promise<string[]> {
  const { outcome, console } = await runTrusted({
    files: { 'main.ts': program },
    main: 'main.ts',
    task,
    seed: 5,
    access,
    capabilities,
  })
  if (outcome.status === 'failed') throw new Error(outcome.error.message)
  return console.map(({ text }) => text)
}

describe('a program that reads the provider’s log', () => {
  test('sees each question with its distances to the earlier ones alone', async () => {
    expect(
      await printed(`import { log } from 'lab'
const { honest, today } = await log.accounts()
console.log(honest, today)
for (const { answer, confidence, distances } of await log.entries(today[0]))
  console.log(answer, confidence, Array.from(distances))
console.log(await log.times(today[0]))`),
    ).toEqual(['[0] [3]', '7 0.5 []', '1 1 [2]', '7 0.75 [3, 4]', '[0, 4.5]'])
  })

  test('has Shapiro and Wilk’s W', async () => {
    const values = [1, 2, 2, 3, 9]
    expect(
      await printed(`import { stats } from 'lab'\nconsole.log(stats.shapiroWilk([1, 2, 2, 3, 9]) * 1e9 | 0)`),
    ).toEqual([String((shapiroWilk(values) * 1e9) | 0)])
  })

  test('is told when the lab grants no log', async () => {
    await expect(printed(`import { log } from 'lab'\nawait log.accounts()`, ['data'])).rejects.toThrow(
      'log.accounts is not available in this lab: it grants data',
    )
  })
})
