/** What every attack's cases share: rows compared one by one, and the file's figures held against its own rows. */
import type { EvasionRun } from '../../attacks/attack.ts'
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import type { Model } from '../../models/model.ts'
import * as tf from '../../core/tf.ts'
import { NotImplemented, PackError, type Json } from './json.ts'
import { labelsOf, tensorFor, type Rows } from './pack.ts'
import { distance, type Check, type Verify } from './verify.ts'

/** Rounding of a norm that another library computed in float32. */
const normTolerance = 2e-6
/** Float32 and float64 further apart than this took different branches, says the pack. */
const flip = 1e-4
/** A margin between two classes below this is a tie, whose winner is rounding noise. */
const tieMargin = 1e-4

/**
 * The verifier of an attack: each case on each model, element by element. `names` maps the file's parameters
 * to the attack's options; a case with a parameter that is not named, or a random start, is not implemented.
 */
export function attackVerifier<O>(
  run: EvasionRun<WhiteBoxAccess, O>,
  names: Record<string, keyof O>,
): Verify {
  return async function* (file, pack) {
    for (const [name, item] of file.get('cases').entries()) {
      let options
      try {
        options = readOptions(item.get('params'), names as Record<string, string>) as O
      } catch (error) {
        if (!(error instanceof NotImplemented)) throw error
        yield { notImplemented: `${name}: ${error.message}` }
        continue
      }
      const said = item.get('inputs')
      const rows = await pack.rows(said)
      const targeted = item.get('params').maybe('targeted')?.value === true
      const labels = targeted ? Int32Array.from(item.get('targets').numbers().values) : labelsOf(rows, said)
      const criterion: Criterion = targeted
        ? { kind: 'targeted', targets: labels }
        : { kind: 'misclassification', labels }
      for (const [id, expected] of item.get('expected').entries()) {
        const model = await pack.model(id)
        const x = tensorFor(model, rows, said)
        const { adversarial } = await run(model, x, criterion, options, { seed: 0 })
        const values = (await adversarial.data()) as Float32Array
        x.dispose()
        adversarial.dispose()
        yield compareAdversarial(`${name} ${id}`, expected, values, rows, model, { labels, targeted })
      }
    }
  }
}

function readOptions(params: Json, names: Record<string, string>): Record<string, number | string> {
  // Another library draws other random numbers: such cases compare shares of success, not elements.
  if (params.maybe('random_start')?.value === true) throw new NotImplemented('random_start')
  const options: Record<string, number | string> = {}
  for (const [key, value] of params.entries()) {
    if (key === 'targeted' || key === 'random_start') continue
    const name = names[key]
    if (!name) throw new NotImplemented(`parameter ${key}`)
    options[name] = name === 'norm' ? normOf(value.text()) : value.number()
  }
  for (const [key, name] of Object.entries(names)) if (!(name in options)) params.get(key)
  return options
}

function normOf(said: string): 'linf' | 'l2' {
  const norm = said.toLowerCase()
  if (norm !== 'linf' && norm !== 'l2') throw new NotImplemented(`norm ${said}`)
  return norm
}

/**
 * Compares adversarial rows with a case's `adv`. A row may differ when the file allows so many
 * (`allow_rows_differing`) or calls it a flip itself (float32 against float64 above 1e-4). An excused row
 * must still be a true one: each row's l2, linf, l0, pred and success must follow from its own `adv`, so a
 * corrupted number never hides behind the excuse.
 */
export async function compareAdversarial(
  name: string,
  expected: Json,
  got: Float32Array,
  rows: Rows,
  model: Model,
  criterion: { labels: Int32Array; targeted: boolean },
): Promise<Check> {
  const field = expected.get('adv')
  const { values: adv, shape } = field.numbers()
  if (shape[0] !== rows.count || adv.length !== got.length)
    throw new PackError(
      `${field.where}: expected ${rows.count} rows of ${rows.width} numbers; got shape [${shape}]`,
    )
  const tolerance = expected.get('tolerance')
  const abs = tolerance.get('abs').number()
  const allowed = tolerance.maybe('allow_rows_differing')?.number() ?? 0
  const flips = expected.maybe('max_abs_diff_f32_vs_f64_per_example')?.numbers().values

  let worst = 0
  const differing: number[] = []
  for (let row = 0; row < rows.count; row++) {
    let apart = 0
    for (let i = row * rows.width; i < (row + 1) * rows.width; i++)
      apart = Math.max(apart, distance(got[i]!, adv[i]!))
    if (apart > abs) {
      if (!(flips && flips[row]! > flip)) differing.push(row)
    } else worst = Math.max(worst, apart)
    if (differing.length > allowed) worst = Math.max(worst, apart)
  }
  const faults = await inconsistencies(expected, adv, rows, model, criterion)
  if (differing.length > allowed)
    faults.unshift(`rows ${differing.join(', ')} differ by more than ${abs}; ${allowed} may`)
  const excused =
    differing.length > 0 ? `row ${differing.join(', ')} differs, which the file allows` : undefined
  return { name, worst, tolerance: abs, ok: faults.length === 0, note: faults.join('; ') || excused }
}

/** Figures of the file that do not follow from its own adversarial rows. */
export async function inconsistencies(
  expected: Json,
  adv: Float32Array,
  rows: Rows,
  model: Model,
  { labels, targeted }: { labels: Int32Array; targeted: boolean },
): Promise<string[]> {
  const faults: string[] = []
  const x = tf.tensor(adv, [rows.count, ...model.inputShape])
  const logits = await model.logitsArray(x)
  x.dispose()
  const figures = (key: string) => {
    const field = expected.maybe(key)
    if (!field) return undefined
    const { values } = field.numbers()
    if (values.length !== rows.count)
      throw new PackError(
        `${field.where}: expected one figure for each of the ${rows.count} rows; got ${values.length}`,
      )
    return values
  }
  const given = {
    l2: figures('l2'),
    linf: figures('linf'),
    l0: figures('l0'),
    pred: figures('pred'),
    success: figures('success'),
    found: figures('found'),
  }
  const lengths64 = figures('l2_f64')
  const flips = figures('max_abs_diff_f32_vs_f64_per_example')
  for (let row = 0; row < rows.count; row++) {
    let [squares, linf, l0] = [0, 0, 0]
    for (let i = row * rows.width; i < (row + 1) * rows.width; i++) {
      const delta = Math.abs(adv[i]! - rows.values[i]!)
      squares += delta * delta
      linf = Math.max(linf, delta)
      if (delta !== 0) l0++
    }
    const check = (key: 'l2' | 'linf' | 'l0', value: number, tolerance: number) => {
      const said = given[key]?.[row]
      if (said !== undefined && !(distance(said, value) <= tolerance))
        faults.push(`row ${row}: ${key} is ${short(said)} in the file, but its own adv gives ${short(value)}`)
    }
    check('l2', Math.sqrt(squares), normTolerance)
    check('linf', linf, normTolerance)
    check('l0', l0, 0)
    // The same library in double precision: the same length, but for a flip that the file owns to.
    const double = lengths64?.[row]
    if (
      double !== undefined &&
      !(flips && flips[row]! > flip) &&
      !(distance(double, Math.sqrt(squares)) <= flip)
    )
      faults.push(
        `row ${row}: l2_f64 is ${short(double)} in the file, but its own adv gives ${short(Math.sqrt(squares))}`,
      )
    const scores = logits.subarray(row * model.numClasses, (row + 1) * model.numClasses)
    const [first, second] = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!)
    if (scores[first!]! - scores[second!]! < tieMargin) continue
    const pred = given.pred?.[row]
    if (pred !== undefined && pred !== first)
      faults.push(`row ${row}: pred is ${pred} in the file, but the model reads its adv as ${first}`)
    const success = given.success?.[row]
    // A row for which nothing was found stands in the file as zeros, whatever zeros are read as.
    const hit = given.found?.[row] !== 0 && (targeted ? first === labels[row] : first !== labels[row])
    if (success !== undefined && Boolean(success) !== hit)
      faults.push(`row ${row}: success is ${Boolean(success)} in the file, but its adv is read as ${first}`)
  }
  return faults
}

const short = (value: number) => Number(value.toPrecision(6))
