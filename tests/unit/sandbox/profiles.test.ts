import { beforeAll, describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { Task } from '../../../src/grading/grader.ts'
import { runTrusted } from '../../../src/sandbox/run-in-node.ts'

beforeAll(() => startBackend('cpu', readStatic))

const task: Task = {
  victim: { model: '' },
  dataset: 'shop',
  split: 'train',
  ids: [0],
  labels: [0],
  values: { item: 3, budget: 2 },
}
const asked: unknown[][] = []
const capabilities = async (name: string, args: unknown[]) => {
  asked.push([name, ...args])
  if (name === 'recommend') return { exposure: 0.5, hitRate: 0.25, removed: Int32Array.of(601) }
  if (name === 'data.ratings')
    return {
      numUsers: 2,
      numItems: 3,
      kinds: Int32Array.of(0, 0, 1),
      users: Int32Array.of(0, 1),
      items: Int32Array.of(2, 0),
      values: Float32Array.of(5, 1),
    }
  throw new Error(`nobody asked for ${name}`)
}
const run = (program: string, access = ['data', 'recommend']) =>
  runTrusted({ files: { 'main.ts': program }, main: 'main.ts', task, seed: 5, access, capabilities })
const errorOf = async (program: string, access?: string[]) => {
  const { outcome } = await run(program, access)
  if (outcome.status !== 'failed') throw new Error(`expected an error; got ${outcome.status}`)
  return outcome.error.message
}

describe('a program that invents shoppers', () => {
  it('reads the shop, asks what if, and hands in its profiles', async () => {
    const { outcome, console } = await run(`import { data, recommend, submit, task } from 'lab'
const { shoppers, items, kinds, ratings } = await data.ratings()
const profiles = [[{ item: 3, stars: 5 }, { item: 1, stars: 4 }], [{ item: 3, stars: 5 }]]
const { exposure, hitRate, removed } = await recommend({ profiles, without: [0] })
console.log(shoppers, items, kinds, ratings.map((r) => [r.shopper, r.item, r.stars].join()), exposure, hitRate, removed)
await recommend()
await submit({ profiles })`)
    expect(console.map(({ text }) => text)).toEqual(["2 3 [0, 0, 1] ['0,2,5', '1,0,1'] 0.5 0.25 [601]"])
    expect(asked.at(-2)).toEqual([
      'recommend',
      Int32Array.of(3, 1, 65_536 + 3),
      Int32Array.of(5, 4, 5),
      Int32Array.of(0),
    ])
    expect(asked.at(-1)).toEqual(['recommend', new Int32Array(), new Int32Array(), new Int32Array()])
    expect(outcome).toMatchObject({
      status: 'finished',
      artefact: { kind: 'change-list', ids: [3, 1, 65_536 + 3], labels: [5, 4, 5] },
    })
  })

  it('may hand in nobody', async () => {
    const { outcome } = await run(`import { submit } from 'lab'\nawait submit({ profiles: [] })`)
    expect(outcome).toMatchObject({ status: 'finished', artefact: { ids: [], labels: [] } })
  })

  it.each([
    ['7', /profiles must be a list with a list of \{ item, stars \}.*got 7/],
    ['[[]]', /profiles\[0\] must be a list of \{ item, stars \} with one rating at least; got an empty list/],
    ['[7]', /profiles\[0\] must be/],
    ['[[{ item: 1, stars: NaN }]]', /profiles\[0\]\[0\]\.stars must be a whole number of stars; got NaN/],
    ['[[{ item: 1, stars: 4.5 }]]', /stars; got 4\.5/],
    ['[[{ item: 1 }]]', /stars; got nothing/],
    ['[[{ item: "1", stars: 4 }]]', /item must be the number of an item; got the text "1"/],
    ['[[{ item: -1, stars: 4 }]]', /got -1/],
    ['[[{ item: 70000, stars: 4 }]]', /got 70000/],
    ['new Array(20000).fill([{ item: 1, stars: 5 }])', /at most 10000 profiles can be sent; got 20000/],
    ['Promise.resolve([])', /got a Promise \(write await\)/],
  ])('profiles %s are refused where they are made', async (profiles, reason) => {
    expect(
      await errorOf(`import { submit } from 'lab'\nawait submit({ profiles: ${profiles} } as never)`),
    ).toMatch(reason)
  })

  it('is told where it is not granted', async () => {
    expect(await errorOf(`import { recommend } from 'lab'\nawait recommend()`, ['data'])).toMatch(
      'recommend is not available in this lab',
    )
  })
})
