import { beforeAll, describe, expect, test } from 'vitest'
import { readShelf } from '../../src/build/lab-folder.ts'
import { openLabBench } from '../../src/cli/lab-bench.ts'
import { repository } from '../../src/cli/node-platform.ts'

/** One seed in `npm test`, three and more in `npm run test:deep`: the same proof as `npm run labs:check`. */
const seeds = process.env.PERTURB_DEEP ? [1, 2, 3, 4, 5] : [1]
const { slugs } = readShelf(repository)
let bench: Awaited<ReturnType<typeof openLabBench>>

beforeAll(async () => {
  bench = await openLabBench()
})

describe('every lab proves itself', () => {
  test('there is a lab', () => expect(slugs).not.toEqual([]))

  test.each(slugs)('%s', { timeout: 15 * 60_000 }, async (slug) => {
    const { ok, problems, checks } = await bench.prove(slug, { seeds })
    expect([...problems, ...checks.filter((check) => !check.ok).map((check) => check.detail)]).toEqual([])
    expect(ok).toBe(true)
  })
})
