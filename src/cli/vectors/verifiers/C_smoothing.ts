import { binomialLowerBound, binomialUpperBound, fairCoinTest } from '../../../core/statistics.ts'
import {
  abstain,
  certificate,
  certifiedAccuracy,
  winner,
} from '../../../defences/certification/certificate.ts'
import { certify } from '../../../defences/certification/randomised-smoothing.ts'
import * as tf from '../../../core/tf.ts'
import { argument, evaluationRows, numbersIn } from '../aggregates.ts'
import { Json, PackError } from '../json.ts'
import { compare, type Check, type Verify } from '../verify.ts'

/** The library's tables row by row, then certified accuracy on noise of our own, inside the file's band. */
export const verify: Verify = async function* (file, pack) {
  const expected = file.get('expected')
  const [bound, radius, band] = numbersIn(
    file.get('tolerance'),
    /([\d.e-]+) absolute on bounds, ([\d.e-]+) on radius; stochastic \+-([\d.]+)/,
  ) as [number, number, number]

  const rows = list(expected.get('certify'))
  const column = (key: string) => rows.map((row) => row.get(key).number())
  const certificates = rows.map((row) =>
    certificate(1, row.get('nA').number(), {
      n: row.get('n').number(),
      alpha: row.get('alpha').number(),
      sigma: row.get('sigma').number(),
    }),
  )
  const bounds = rows.map((row) =>
    binomialLowerBound(row.get('nA').number(), row.get('n').number(), row.get('alpha').number()),
  )
  yield compare('certify, lower bound', bounds, column('pA_lower'), bound)
  yield compare(
    'certify, radius',
    certificates.map((one) => one.radius),
    column('radius'),
    radius,
  )
  yield compare(
    'certify, answers or abstains',
    certificates.map((one) => Number(one.class !== abstain)),
    rows.map((row) => Number(flag(row.get('certified_class_is_top')))),
    0,
  )

  const shares = list(expected.get('clopper_pearson'))
  const both = (row: Json) =>
    [row.get('k').number(), row.get('n').number(), row.get('alpha_two_sided').number() / 2] as const
  const figures = (key: string) => shares.map((row) => row.get(key).number())
  yield compare(
    'Clopper–Pearson, lower',
    shares.map((row) => binomialLowerBound(...both(row))),
    figures('lower'),
    bound,
  )
  yield compare(
    'Clopper–Pearson, upper',
    shares.map((row) => binomialUpperBound(...both(row))),
    figures('upper'),
    bound,
  )
  yield compare(
    'Clopper–Pearson, one-sided',
    shares.map((row) => {
      const [k, n, half] = both(row)
      return binomialLowerBound(k, n, 2 * half)
    }),
    figures('one_sided_lower_alpha'),
    bound,
  )

  const votes = list(expected.get('predict'))
  const counts = votes.map((row) => list(row.get('counts')).map((count) => count.number()))
  yield compare(
    'predict, p-value',
    counts.map((each) =>
      fairCoinTest(
        Math.max(...each),
        each.reduce((a, b) => a + b),
      ),
    ),
    votes.map((row) => row.get('pvalue').number()),
    bound,
  )
  yield compare(
    'predict, answer',
    counts.map((each, i) => winner(each, votes[i]!.get('alpha').number())),
    votes.map((row) => row.get('prediction').number()),
    0,
  )

  const sampled = expected.get('stochastic_certification')
  const note = sampled.get('note')
  const images = await evaluationRows(new Json(note.file, note.path, { inputs: note.value }), pack)
  const [n0, n, alpha] = (['n0', 'n', 'alpha'] as const).map((name) => argument(note, name)) as [
    number,
    number,
    number,
  ]
  for (const [name, item] of sampled.entries()) {
    const parts = /^(M\d)_sigma([\d.]+)$/.exec(name)
    if (!parts) continue
    const model = await pack.model(parts[1]!)
    const x = tf.tensor(images.values, [images.count, ...model.inputShape])
    try {
      const sigma = Number(parts[2])
      const made = await certify(model, x, { sigma, n0, n, alpha }, { seed: 1 })
      const radii = [...item.get('radii').numbers().values]
      yield inBand(
        `certified accuracy of ${name}`,
        radii.map((r) => certifiedAccuracy(made, images.labels, r)),
        item.get('certified_accuracy_mean'),
        band,
      )
      yield inBand(
        `abstentions of ${name}`,
        [made.filter((one) => one.class === abstain).length / made.length],
        item.get('abstain_rate_mean'),
        band,
      )
    } finally {
      x.dispose()
    }
  }
}

function inBand(name: string, got: number[], said: Json, band: number): Check {
  const expected = Array.isArray(said.value) ? [...said.numbers().values] : [said.number()]
  return compare(name, got, expected, band)
}

function list(json: Json): Json[] {
  if (!Array.isArray(json.value)) throw new PackError(`${json.where}: expected a list`)
  return json.value.map((value, i) => new Json(json.file, `${json.path}[${i}]`, value))
}

function flag(json: Json): boolean {
  if (typeof json.value !== 'boolean') throw new PackError(`${json.where}: expected true or false`)
  return json.value
}
