/**
 * A stated part of the two files of whole evaluations: a few strengths, one or two seeds, and a hundred questions for
 * Square instead of thousands. `npm run vectors` runs the files as they are.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../src/cli/node-platform.ts'
import { Json } from '../../src/cli/vectors/json.ts'
import { Pack } from '../../src/cli/vectors/pack.ts'
import { verify as verifyAutoAttack } from '../../src/cli/vectors/verifiers/B_autoattack.ts'
import { verify as verifyPgd } from '../../src/cli/vectors/verifiers/B_pgd_random_start.ts'
import type { Check, Verify } from '../../src/cli/vectors/verify.ts'
import { startBackend } from '../../src/core/backends.ts'
import * as tf from '../../src/core/tf.ts'
import { data } from './agreement.ts'

type Tree = Record<string, unknown>
const at = (tree: unknown, ...path: string[]) =>
  path.reduce((branch, key) => (branch as Tree)[key], tree) as Tree

/** The file with only what is named under `expected`, and changed as told. */
function part(name: string, keep: string[][], change: (json: Tree) => void = () => {}): Json {
  const json = JSON.parse(readFileSync(join(data, name), 'utf8')) as Tree
  const kept: Tree = {}
  for (const path of keep) {
    let to = kept
    for (const key of path.slice(0, -1)) to = (to[key] ??= {}) as Tree
    to[path.at(-1)!] = at(json.expected, ...path)
  }
  json.expected = kept
  change(json)
  return new Json(name, '', json)
}

async function checksOf(verify: Verify, file: Json): Promise<Check[]> {
  const pack = await Pack.open(data)
  const before = tf.memory().numTensors
  try {
    const checks: Check[] = []
    for await (const check of verify(file, pack)) {
      if ('notImplemented' in check) throw new Error(check.notImplemented)
      checks.push(check)
    }
    return checks
  } finally {
    pack.dispose()
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(tf.memory().numTensors, 'a tensor leaked').toBe(before)
  }
}
const failing = (checks: Check[]) =>
  checks.filter(({ ok }) => !ok).map(({ name, note }) => `${name}: ${note}`)

describe('whole evaluations, a part of each', () => {
  beforeAll(() => startBackend('wasm', readStatic))

  const strengths = [
    ['Linf', 'M1', '0.12'],
    ['Linf', 'M2', '0.1'],
    ['L2', 'M3', '0.5'],
  ]
  const twoSeeds = (json: Tree) => (json.seeds = (json.seeds as number[]).slice(0, 2))

  test('PGD from a random start leaves as many as foolbox’s', async () => {
    const checks = await checksOf(verifyPgd, part('B_pgd_random_start.json', strengths, twoSeeds))
    expect(checks).toHaveLength(3)
    expect(failing(checks)).toEqual([])
  })

  test('and a share that is another by five images is noticed', async () => {
    const checks = await checksOf(
      verifyPgd,
      part('B_pgd_random_start.json', strengths.slice(1, 2), (json) => {
        twoSeeds(json)
        at(json.expected, 'Linf', 'M2', '0.1').mean = 0.39
      }),
    )
    expect(failing(checks)).toHaveLength(1)
  })

  const fewQuestions = (json: Tree) => {
    json.call = (json.call as string).replace('Square 5000', 'Square 100')
    const one = at(json.expected, 'M2', 'Linf_eps0.1')
    const together = one.robust_accuracy as Tree
    together.per_seed = (together.per_seed as number[]).slice(0, 1)
    const alone = one.single_attack_robust_accuracy_first_seed as Tree
    delete alone.square
    delete alone['fab-t']
  }

  test('AutoAttack, and APGD alone, leave as many as the authors’ code', { timeout: 240_000 }, async () => {
    const file = part('B_autoattack.json', [['M2', 'Linf_eps0.1']], fewQuestions)
    const checks = await checksOf(verifyAutoAttack, file)
    expect(checks.map(({ name }) => name)).toEqual([
      'M2 Linf_eps0.1',
      'M2 Linf_eps0.1 apgd-ce alone',
      'M2 Linf_eps0.1 apgd-t alone',
    ])
    expect(failing(checks)).toEqual([])
  })

  test('a call that names other parts is not taken for this one', async () => {
    const file = part('B_autoattack.json', [['M2', 'Linf_eps0.1']], (json) => {
      json.call = (json.call as string).replace('FAB-T 9', 'FAB-T 5')
    })
    await expect(checksOf(verifyAutoAttack, file)).rejects.toThrow(/B_autoattack\.json: call/)
  })
})
