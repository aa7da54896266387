import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { command } from '../../src/cli/commands/vectors.ts'
import { readStatic } from '../../src/cli/node-platform.ts'
import { readArchitecture } from '../../src/cli/vectors/architecture.ts'
import { Json } from '../../src/cli/vectors/json.ts'
import { startBackend } from '../../src/core/backends.ts'
import { data, verifyIn } from './agreement.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'vectors-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const verify = (file: string, from = folder) => verifyIn(from, file)

/** A copy of the pack with one file changed. */
function changed(file: string, change: (text: string) => string): void {
  cpSync(data, folder, { recursive: true })
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')))
}
/** The models, their inputs and one attack: what the command is tried on, since it runs all of a pack. */
function smallPack(): void {
  const filter = (path: string) => path === data || /(model|inputs)_\w+\.json$|A_fgsm\.json$/.test(path)
  cpSync(data, folder, { recursive: true, filter })
}
type Tree = Record<string, unknown>
const edited = (file: string, edit: (json: Tree) => void) =>
  changed(file, (text) => {
    const json = JSON.parse(text) as Tree
    edit(json)
    return JSON.stringify(json)
  })
/** The value at a path, and a way to replace it. */
function at(json: unknown, ...path: (string | number)[]): { value: unknown; set(value: unknown): void } {
  const owner = path.slice(0, -1).reduce((level, key) => (level as Tree)[key], json) as Tree
  const key = path.at(-1)!
  return { value: owner[key], set: (value) => void (owner[key] = value) }
}

describe('a wrong pack', () => {
  beforeAll(() => startBackend('wasm', readStatic))
  const linf = ['cases', 'fgsm_linf_eps0.1', 'expected', 'M2'] as const
  const l2 = ['cases', 'fgm_l2_eps0.5', 'expected', 'M1'] as const

  test.each<[string, string, (json: Tree) => void, RegExp]>([
    [
      'a pixel of one adversarial row',
      'A_fgsm.json',
      (json) => at(json, ...linf, 'adv', 3, 5).set(0.4),
      /row 3/,
    ],
    [
      'a pixel of an L2 row, by a little',
      'A_fgsm.json',
      (json) => at(json, ...l2, 'adv', 2, 20).set((at(json, ...l2, 'adv', 2, 20).value as number) + 1e-3),
      /row 2/,
    ],
    ['a norm', 'A_fgsm.json', (json) => at(json, ...linf, 'l2', 0).set(0.9), /row 0: l2 is 0\.9/],
    [
      'a norm in double precision',
      'A_fgsm.json',
      (json) => at(json, ...linf, 'l2_f64', 6).set(0.5),
      /row 6: l2_f64 is 0\.5/,
    ],
    [
      'a count of changed pixels',
      'A_fgsm.json',
      (json) => at(json, ...linf, 'l0', 1).set(3),
      /row 1: l0 is 3/,
    ],
    ['a prediction', 'A_fgsm.json', (json) => at(json, ...linf, 'pred', 4).set(9), /row 4: pred is 9/],
    [
      'a success flag',
      'A_fgsm.json',
      (json) => at(json, ...linf, 'success', 0).set(false),
      /row 0: success is false/,
    ],
    [
      'a strength',
      'A_fgsm.json',
      (json) => at(json, 'cases', 'fgsm_linf_eps0.1', 'params', 'eps').set(0.11),
      /differ by more than/,
    ],
    [
      'a norm by name',
      'A_fgsm.json',
      (json) => at(json, 'cases', 'fgsm_linf_eps0.1', 'params', 'norm').set('L2'),
      /differ by more than/,
    ],
    [
      'a length of step',
      'A_pgd.json',
      (json) => at(json, 'cases', 'pgd_linf_eps0.1_step0.02_n10', 'params', 'step').set(0.03),
      /differ by more than/,
    ],
    [
      'a number of steps of an attack',
      'A_pgd.json',
      (json) => at(json, 'cases', 'pgd_l2_eps1.0_step0.2_n10', 'params', 'steps').set(9),
      /differ by more than/,
    ],
    [
      'the decay of momentum',
      'A_mifgsm.json',
      (json) => at(json, 'cases', 'mifgsm_linf_eps0.1_n10_decay1.0', 'params', 'decay').set(0),
      /differ by more than/,
    ],
    [
      'an overshoot',
      'A_deepfool.json',
      (json) => at(json, 'cases', 'deepfool_linf_foolbox', 'params', 'overshoot').set(0.03),
      /differ by more than/,
    ],
    [
      'a target',
      'A_jsma.json',
      (json) => at(json, 'cases', 'jsma_art_theta1.0_gamma0.15', 'targets', 0).set(3),
      /row 0: success is true/,
    ],
    [
      'a share of pixels',
      'A_jsma.json',
      (json) => at(json, 'cases', 'jsma_torchattacks_theta1.0_gamma0.15', 'params', 'gamma').set(0.05),
      /differ by more than/,
    ],
    [
      'a confidence',
      'A_cw.json',
      (json) => at(json, 'cases', 'cw_l2_bs6_n200_conf1.0', 'params', 'confidence').set(0),
      /row 0: l2 is 0\.63/,
    ],
    [
      'a length of a search, in the list alone',
      'A_cw.json',
      (json) => at(json, 'cases', 'cw_l2_targeted', 'expected', 'M2', 'l2', 4).set(0.9),
      /row 4: l2 is 0\.9/,
    ],
    [
      'a success of a search',
      'A_cw.json',
      (json) => at(json, 'cases', 'cw_l2_targeted', 'expected', 'M2', 'success', 2).set(false),
      /row 2: success is false/,
    ],
    [
      'what was found',
      'A_cw_elementwise.json',
      (json) =>
        at(json, 'cases', 'cw_l2_elementwise_bs1_n5_const10', 'expected', 'M1', 'found', 8).set(false),
      /row 8: success is true/,
    ],
    [
      'the radius that a search begins with',
      'A_minimum_norm_extra.json',
      (json) => at(json, 'cases', 'ddn_l2', 'params', 'init_epsilon').set(0.5),
      /differ by more than/,
    ],
    [
      'a stolen weight',
      'C_extraction.json',
      (json) => at(json, 'expected', 'basis_queries', 'recovered_weights', 3).set(0.5),
      /number 3 is 0\.5 in the file/,
    ],
    [
      'an answer of the API that was robbed',
      'C_extraction.json',
      (json) => at(json, 'expected', 'random_queries', 'probabilities', 4).set(0.5),
      /number 4 is 0\.5 in the file/,
    ],
    [
      'what rounding costs',
      'C_extraction.json',
      (json) => at(json, 'expected', 'basis_queries_rounded_probabilities_max_abs_error', 'dec3').set(0.004),
      /number 0 is 0\.004 in the file/,
    ],
    [
      'a difference between two classes',
      'C_extraction.json',
      (json) => at(json, 'expected', 'M1_softmax', 'recovered_weight_differences', 20, 4).set(0.004),
      /number 204 is 0\.004 in the file/,
    ],
    ['a label', 'inputs_digits.json', (json) => at(json, 'y32', 5).set(7), /row 5: success/],
    ['an expected logit', 'model_M2.json', (json) => at(json, 'logits32', 31, 9).set(0), /number 319/],
    [
      'a weight',
      'model_M3.json',
      (json) => at(json, 'weights', 'conv2/kernel', 'values', 700).set(0.5),
      /number/,
    ],
    ['an input', 'inputs_cancer.json', (json) => at(json, 'x32', 30, 7).set(3), /number 30/],
    [
      'a Jacobian entry',
      'A_gradients_attributions.json',
      (json) => at(json, 'expected', 'M1', 'jacobian', 3, 9, 63).set(1),
      /number 2559/,
    ],
    [
      'an integrated gradient',
      'A_gradients_attributions.json',
      (json) => at(json, 'expected', 'M3', 'ig_trap', 8, 30).set(1),
      /number 542/,
    ],
    [
      'a number of steps',
      'A_gradients_attributions.json',
      (json) => at(json, 'definitions', 'ig_mid').set('5 steps midpoint'),
      /number/,
    ],
  ])('fails when %s is corrupted', async (_, file, edit, message) => {
    edited(file, edit)
    const names = file.startsWith('inputs')
      ? [file.includes('cancer') ? 'model_M4.json' : 'A_fgsm.json']
      : [file]
    const report = await verify(names[0]!)
    expect(report.status).toBe('fail')
    expect(
      report.checks
        .filter(({ ok }) => !ok)
        .map(({ note }) => note)
        .join(),
    ).toMatch(message)
  })

  test.each<[string, string, (text: string) => string, RegExp]>([
    ['cut short', 'A_fgsm.json', (text) => text.slice(0, 9000), /A_fgsm\.json: is cut short or not JSON/],
    ['empty', 'A_fgsm.json', () => '', /A_fgsm\.json: is cut short or not JSON/],
    ['an array', 'A_fgsm.json', () => '[]', /A_fgsm\.json: "cases" is missing/],
    ['without cases', 'A_fgsm.json', () => '{"cases":{}}', /A_fgsm\.json: holds no case/],
    [
      'ragged',
      'A_fgsm.json',
      (text) => text.replace('"adv": [[', '"adv": [[1,').replace('"adv":[[', '"adv":[[1,'),
      /A_fgsm\.json: cases\..*adv/,
    ],
    [
      'with a hole',
      'A_fgsm.json',
      (text) => text.replace(/("l2": ?\[)/, '$1null,'),
      /l2: number 0 of the array is null/,
    ],
    [
      'without its model',
      'A_fgsm.json',
      (text) => text.replaceAll('"M3"', '"M9"'),
      /model_M9\.json: is missing/,
    ],
    [
      'with other inputs',
      'A_fgsm.json',
      (text) => text.replaceAll('inputs_digits.json first 16', 'inputs_faces.json first 16'),
      /inputs_faces\.json: is missing/,
    ],
    [
      'with too few inputs',
      'A_fgsm.json',
      (text) => text.replaceAll('first 16', 'first 99'),
      /asks for the first 99 of 32 rows/,
    ],
    [
      'with a weight too few',
      'model_M1.json',
      (text) => text.replace(/"values": ?\[[^,]*,/, '"values":['),
      /model_M1\.json: weights\.dense\/kernel: shape \[64,10\] needs 640 numbers; got 639/,
    ],
  ])('names a file that is %s', async (_, file, change, message) => {
    changed(file, change)
    const report = await verify(file)
    expect(report.status).toBe('fail')
    expect(report.error).toMatch(message)
  })

  test('counts what is not implemented and names it, and does not fail for it', async () => {
    edited('A_fgsm.json', (json) => {
      const params = (json.cases as Record<string, { params: Tree }>)['fgsm_linf_eps0.1']!.params
      params.norm = 'L1'
      ;(json.cases as Record<string, { params: Tree }>)['fgm_l2_eps0.5']!.params.momentum = 0.5
    })
    const report = await verify('A_fgsm.json')
    expect(report).toMatchObject({
      status: 'pass',
      notImplemented: ['fgsm_linf_eps0.1: norm L1', 'fgm_l2_eps0.5: parameter momentum'],
    })
    expect(report.checks).toHaveLength(9)
    writeFileSync(join(folder, 'Z_new.json'), '{}')
    expect(await verify('Z_new.json')).toMatchObject({ status: 'not implemented' })
    edited('A_cw.json', (json) => {
      at(json, 'cases', 'cw_l2_targeted', 'params', 'abort_early').set(true)
      at(json, 'cases', 'cw_l2_bs6_n200_conf1.0', 'source').set('cleverhans 4.0')
    })
    expect(await verify('A_cw.json')).toMatchObject({
      status: 'not implemented',
      notImplemented: ['cw_l2_bs6_n200_conf1.0: as cleverhans does it', 'cw_l2_targeted: abort_early'],
    })
  })
})

describe('another pack: other shapes, strengths and counts, worked out by hand', () => {
  beforeAll(() => startBackend('cpu', readStatic))

  /** z = x·W + b, and FGSM against it, in plain double arithmetic. */
  function handMade(eps: number) {
    const W = [
      [1, -2, 0.5],
      [-1, 0.25, 2],
      [0.5, 1.5, -1],
      [2, -0.5, 0.75],
    ]
    const b = [0.1, -0.2, 0.3]
    const x = [
      [0.2, 0.9, 0.4, 0.6],
      [0.8, 0.1, 0.3, 0.7],
      [0.5, 0.5, 0.55, 0.45],
    ]
    const y = [0, 0, 2]
    const logits = (row: number[]) =>
      b.map((bias, k) => row.reduce((sum, value, i) => sum + value * W[i]![k]!, bias))
    const top = (row: number[]) => logits(row).reduce((best, z, k, all) => (z > all[best]! ? k : best), 0)
    const adv = x.map((row, n) => {
      const powers = logits(row).map(Math.exp)
      const total = powers.reduce((sum, power) => sum + power)
      return row.map((value, i) => {
        const gradient = powers.reduce(
          (sum, power, k) => sum + (power / total - Number(k === y[n])) * W[i]![k]!,
          0,
        )
        return Math.min(1, Math.max(0, value + eps * Math.sign(gradient)))
      })
    })
    const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value))
    write('inputs_tiny.json', { x3: x, y3: y })
    write('model_T7.json', {
      architecture: 'x[4] -> dense 3 logits',
      weights: { kernel: { shape: [4, 3], values: W.flat() }, bias: { shape: [3], values: b } },
      inputs_ref: 'inputs_tiny.json x3',
      logits3: x.map(logits),
      tolerance: { logits_abs: 1e-6 },
    })
    const tolerance = { compare: 'elementwise', abs: 1e-6, allow_rows_differing: 0 }
    const first = (n: number) => ({
      adv: adv.slice(0, n),
      pred: adv.slice(0, n).map(top),
      success: adv.slice(0, n).map((row, i) => top(row) !== y[i]),
      tolerance,
    })
    write('A_fgsm.json', {
      cases: {
        odd: {
          params: { eps, norm: 'Linf' },
          inputs: 'inputs_tiny.json first 2 of x3 with y3',
          expected: { T7: first(2) },
        },
      },
    })
  }

  test.each([0.07, 0.31])('agrees at epsilon %d', async (eps) => {
    handMade(eps)
    expect(await verify('model_T7.json')).toMatchObject({ status: 'pass' })
    expect(await verify('A_fgsm.json')).toMatchObject({
      status: 'pass',
      checks: [{ name: 'odd T7', ok: true }],
    })
  })

  const read = (line: string) => readArchitecture(new Json('model_X.json', 'architecture', line), 'X')
  test('reads architectures of any size', () => {
    expect(
      read(
        'x[12,10,3] NHWC -> conv2d 4@5x5 valid stride2 relu -> maxpool 2 -> conv2d 6@1x1 same -> flatten [2,1,6]->12 NHWC -> dense 9 relu -> dense 5 logits',
      ),
    ).toMatchObject({
      inputShape: [12, 10, 3],
      numClasses: 5,
      layers: [
        { type: 'conv2d', filters: 4, kernelSize: 5, strides: 2, padding: 'valid', activation: 'relu' },
        { type: 'maxPool', size: 2 },
        { type: 'conv2d', filters: 6, kernelSize: 1, padding: 'same' },
        { type: 'flatten' },
        { type: 'dense', units: 9, activation: 'relu' },
        { type: 'dense', units: 5 },
      ],
    })
    expect(read('x[7] (standardised) -> dense 1 logit; P(y=1)=sigmoid')).toMatchObject({
      inputShape: [7],
      numClasses: 1,
      layers: [{ type: 'dense', units: 1 }],
    })
  })

  test.each([
    ['x[8] -> dense 4 gelu -> dense 2 logits', /"dense 4 gelu" is not a layer/],
    ['x[8,8,1] -> conv2d 4@3x5 same -> flatten -> dense 2', /"conv2d 4@3x5 same" is not a layer/],
    ['x[8,8,1] -> avgpool 2 -> flatten -> dense 2', /"avgpool 2" is not a layer/],
    ['dense 2 logits', /begin with the input's shape/],
    ['x[8] -> flatten', /a dense layer at the end/],
  ])('says what it does not know in %s', (line, message) => expect(() => read(line)).toThrow(message))
})

describe('npm run vectors', () => {
  async function run(...argv: string[]) {
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
    try {
      return { code: await command.run(argv), text: lines.join('\n') }
    } finally {
      log.mockRestore()
    }
  }

  test('passes, prints a table, and says the same in JSON', async () => {
    smallPack()
    const { code, text } = await run(folder, '--backend', 'cpu')
    expect(code).toBe(0)
    expect(text).toMatch(/A_fgsm\.json +15\/15 +\d\.\de-\d+ +\S+ +pass/)
    const json = await run(folder, '--backend', 'wasm', '--json', '--require', 'all')
    expect(json.code).toBe(0)
    expect(JSON.parse(json.text)).toMatchObject({ ok: true, backend: 'wasm', unmet: [] })
  })

  test('exits 1 on a mismatch and names it', async () => {
    smallPack()
    const file = join(folder, 'A_fgsm.json')
    const json = JSON.parse(readFileSync(file, 'utf8')) as Tree
    at(json, 'cases', 'fgsm_linf_eps0.3', 'expected', 'M1', 'adv', 3, 5).set(0.4)
    writeFileSync(file, JSON.stringify(json))
    const { code, text } = await run(folder)
    expect(code).toBe(1)
    expect(text).toMatch(/FAIL A_fgsm\.json: fgsm_linf_eps0\.3 M1: row 3/)
  })

  test('runs the files that are named alone, and names those there are when one is not', async () => {
    smallPack()
    const { code, text } = await run(folder, '--only', 'A_fgsm', '--json')
    expect(code).toBe(0)
    expect((JSON.parse(text) as { files: { file: string }[] }).files.map(({ file }) => file)).toEqual([
      'A_fgsm.json',
    ])
    await expect(run(folder, '--only', 'A_fgsm.json,A_none')).rejects.toThrow(
      /has no A_none\.json; its files are A_fgsm\.json, inputs_cancer\.json/,
    )
  })

  test('exits 1 when a required file is missing or not implemented', async () => {
    smallPack()
    writeFileSync(join(folder, 'Z_new.json'), '{}')
    expect((await run(folder)).code).toBe(0)
    expect(await run(folder, '--require', 'Z_new,A_fgsm.json')).toMatchObject({
      code: 1,
      text: expect.stringMatching(/FAIL Z_new\.json is required; not implemented: the whole file/),
    })
    expect(await run(folder, '--require', 'A_none')).toMatchObject({
      code: 1,
      text: expect.stringMatching(/A_none\.json is required; it is missing/),
    })
    expect((await run(folder, '--require', 'all')).code).toBe(1)
  })

  test('says what is wrong with a folder', async () => {
    await expect(run(join(folder, 'nowhere'))).rejects.toThrow(
      /nowhere: expected a folder of reference vectors .* \(ENOENT\)/,
    )
    await expect(run(folder)).rejects.toThrow(/there is none in it/)
    writeFileSync(join(folder, 'package.json'), '{}')
    await expect(run(folder)).rejects.toThrow(/none of its 1 JSON files is of a kind this project knows/)
    await expect(run()).rejects.toThrow(/which folder/)
    await expect(run(data, '--backend', 'cuda')).rejects.toThrow(
      /--backend must be wasm, cpu or webgpu; got "cuda"/,
    )
  })
})
