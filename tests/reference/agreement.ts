import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic, repository } from '../../src/cli/node-platform.ts'
import { Pack } from '../../src/cli/vectors/pack.ts'
import { verifyFile, type FileReport } from '../../src/cli/vectors/verify.ts'
import { startBackend } from '../../src/core/backends.ts'
import * as tf from '../../src/core/tf.ts'

/** The files that the tests need, as other libraries computed them. */
export const data = join(repository, 'tests/reference/data')

/** Each file, and how many comparisons it holds: a case that is left out silently is a failure. */
const files: [file: string, checks: number][] = [
  ['model_M1.json', 1],
  ['model_M2.json', 1],
  ['model_M3.json', 1],
  ['model_M4.json', 1],
  ['A_fgsm.json', 15],
  ['A_pgd.json', 18],
  ['A_mifgsm.json', 9],
  ['A_deepfool.json', 9],
  ['A_cw.json', 2],
  ['A_cw_elementwise.json', 9],
  ['A_minimum_norm_extra.json', 9],
  ['A_jsma.json', 12],
  ['A_gradients_attributions.json', 33],
  ['C_smoothing.json', 16],
  ['C_extraction.json', 17],
  ['C_poisoning.json', 54],
]

/** A test file a backend, so that two cores share the work. */
export function agreesOn(backend: 'cpu' | 'wasm'): void {
  describe(`reference vectors on ${backend}`, () => {
    beforeAll(() => startBackend(backend, readStatic))

    test.each(files)('%s agrees', async (file, checks) => {
      const before = tf.memory().numTensors
      const report = await verifyIn(data, file)
      expect(report).toMatchObject({ status: 'pass', notImplemented: [] })
      expect(report.checks).toHaveLength(checks)
      expect(report.checks.map(({ note }) => note).filter(Boolean)).toEqual([])
      expect(tf.memory().numTensors).toBe(before)
    })
  })
}

/** One file of a pack, verified on the backend that runs. */
export async function verifyIn(folder: string, file: string): Promise<FileReport> {
  const pack = await Pack.open(folder)
  try {
    return await verifyFile(file, pack)
  } finally {
    pack.dispose()
  }
}
