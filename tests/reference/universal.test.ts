/** A stated part of ART's universal perturbations: one model, norm and seed. `npm run vectors` runs the file as it is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../src/cli/node-platform.ts'
import { Json } from '../../src/cli/vectors/json.ts'
import { Pack } from '../../src/cli/vectors/pack.ts'
import { verify } from '../../src/cli/vectors/verifiers/B_universal_perturbation.ts'
import type { Check } from '../../src/cli/vectors/verify.ts'
import { startBackend } from '../../src/core/backends.ts'
import { data } from './agreement.ts'

const name = 'B_universal_perturbation.json'
interface Case {
  fooling_rate: { mean: number }
}
interface File {
  seeds: number[]
  call: string
  expected: Record<string, Record<string, Case>>
}

async function checksOf(change: (file: File) => void = () => {}): Promise<Check[]> {
  const file = JSON.parse(readFileSync(join(data, name), 'utf8')) as File
  file.seeds = file.seeds.slice(0, 1)
  file.expected = { M1: { 'linf_eps0.2': file.expected.M1!['linf_eps0.2']! } }
  change(file)
  const pack = await Pack.open(data)
  try {
    const checks: Check[] = []
    for await (const check of verify(new Json(name, '', file), pack)) checks.push(check as Check)
    return checks
  } finally {
    pack.dispose()
  }
}

describe('universal perturbation', () => {
  beforeAll(() => startBackend('wasm', readStatic))

  test('fools at least as many as ART’s, and more than random changes', async () => {
    expect(await checksOf()).toMatchObject([{ name: 'M1 linf_eps0.2', ok: true }])
  })

  test('and a file that asks for more than it gives is noticed', async () => {
    const [check] = await checksOf((file) => {
      file.expected.M1!['linf_eps0.2']!.fooling_rate.mean = 0.95
      file.call = file.call.replace(' max_iter=4', ' max_iter=1')
    })
    expect(check).toMatchObject({ ok: false, note: expect.stringContaining('at least 0.950') as string })
  })

  test('a call without its numbers is refused', async () => {
    await expect(checksOf((file) => (file.call = 'UniversalPerturbation(clf)'))).rejects.toThrow(
      /expected DeepFool's max_iter/,
    )
  })
})
