/**
 * A stated part of the files of black-box attacks: a case or two of each, on one or two seeds, on WASM.
 * `npm run vectors` runs the files as they are: 128 figures on all three models and every seed.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../src/cli/node-platform.ts'
import { Json } from '../../src/cli/vectors/json.ts'
import { Pack } from '../../src/cli/vectors/pack.ts'
import { verify as verifyDecisions } from '../../src/cli/vectors/verifiers/B_decision_attacks.ts'
import { verify as verifyPerImage } from '../../src/cli/vectors/verifiers/B_decision_attacks_per_image.ts'
import { verify as verifyOnePixel } from '../../src/cli/vectors/verifiers/B_one_pixel.ts'
import { verify as verifySquare } from '../../src/cli/vectors/verifiers/B_square_attack.ts'
import type { Check, Verify } from '../../src/cli/vectors/verify.ts'
import { startBackend } from '../../src/core/backends.ts'
import { data } from './agreement.ts'

type Tree = Record<string, unknown>
const at = (tree: unknown, ...path: string[]) =>
  path.reduce((branch, key) => (branch as Tree)[key], tree) as Tree

interface Part {
  file: string
  verify: Verify
  seeds: number
  /** Paths below `expected` that are kept. */
  keep: string[][]
  /** A figure below `expected` that is made wrong to see the check fail. */
  figure: string[]
  wrong: number
  checks: number
}

const parts: Part[] = [
  {
    file: 'B_square_attack.json',
    verify: verifySquare,
    seeds: 3,
    keep: [['Linf', 'M2', 'eps0.15_q500']],
    figure: ['Linf', 'M2', 'eps0.15_q500', 'success_rate', 'mean'],
    wrong: 0.3,
    checks: 2,
  },
  {
    file: 'B_decision_attacks.json',
    verify: verifyDecisions,
    seeds: 1,
    keep: [['boundary', 'M2', 'q1000']],
    figure: ['boundary', 'M2', 'q1000', 'median_l2', 'mean'],
    wrong: 0.4,
    checks: 2,
  },
  {
    file: 'B_decision_attacks_per_image.json',
    verify: verifyPerImage,
    seeds: 1,
    keep: [
      ['M2', 'foolbox_hopskipjump', 'q1000'],
      ['M2', 'art_hopskipjump', 'q1000'],
    ],
    figure: ['M2', 'art_hopskipjump', 'q1000', 'mean_l2', 'mean'],
    wrong: 0.2,
    checks: 4,
  },
  {
    file: 'B_one_pixel.json',
    verify: verifyOnePixel,
    seeds: 5,
    keep: [
      ['M2', 'pixels1_steps10_pop10'],
      ['M2', 'exhaustive_one_pixel_17_values_success_rate'],
    ],
    figure: ['M2', 'pixels1_steps10_pop10', 'success_rate', 'mean'],
    wrong: 0.8,
    checks: 2,
  },
]

function read({ file, seeds, keep }: Part, change: (json: Tree) => void = () => {}): Json {
  const json = JSON.parse(readFileSync(join(data, file), 'utf8')) as Tree
  const kept: Tree = {}
  for (const path of keep) {
    let to = kept
    for (const key of path.slice(0, -1)) to = (to[key] ??= {}) as Tree
    to[path.at(-1)!] = at(json.expected, ...path)
  }
  json.expected = kept
  json.seeds = (json.seeds as number[]).slice(0, seeds)
  change(json)
  return new Json(file, '', json)
}

async function run(verify: Verify, file: Json): Promise<Check[]> {
  const pack = await Pack.open(data)
  try {
    const checks: Check[] = []
    for await (const check of verify(file, pack)) {
      if ('notImplemented' in check) throw new Error(check.notImplemented)
      checks.push(check)
    }
    return checks
  } finally {
    pack.dispose()
  }
}

describe.each(parts)('a part of $file', (part) => {
  beforeAll(() => startBackend('wasm', readStatic))

  test('agrees', async () => {
    const checks = await run(part.verify, read(part))
    expect(checks.filter(({ ok }) => !ok).map(({ name, note }) => `${name}: ${note}`)).toEqual([])
    expect(checks).toHaveLength(part.checks)
  })

  test('and a figure that is wrong is noticed', async () => {
    const [figure, ...path] = [...part.figure].reverse()
    const wrong = read(part, (json) => {
      at(json.expected, ...path.reverse())[figure!] = part.wrong
    })
    const checks = await run(part.verify, wrong)
    expect(checks.some(({ ok }) => !ok)).toBe(true)
  })

  test('a tolerance in other words is not guessed', async () => {
    const other = read(part, (json) => {
      json.tolerance = 'about the same'
    })
    await expect(run(part.verify, other)).rejects.toThrow(`${part.file}: tolerance: expected`)
  })
})
