/** The cases of a file whose attack and options depend on the case: which library ran, what it calls a parameter. */
import type { EvasionRun } from '../../attacks/attack.ts'
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import type { Model } from '../../models/model.ts'
import { compareAdversarial, inconsistencies } from './adversarial.ts'
import { NotImplemented, PackError, type Json } from './json.ts'
import { labelsOf, tensorFor, type Rows } from './pack.ts'
import { distance, type Check, type Verify } from './verify.ts'

/** An attack with the options of one case; `targeted` cases hold their targets. */
export interface Plan {
  attack: (
    ...given: Parameters<EvasionRun<WhiteBoxAccess, never>>
  ) => ReturnType<EvasionRun<WhiteBoxAccess, never>>
  options: Record<string, unknown>
  targeted?: boolean
}

/**
 * Runs each case on each model as `plan` says and compares it as the case's tolerance says: row by row and
 * element by element, or by success and length. A plan throws NotImplemented for what it cannot run.
 */
export function caseVerifier(plan: (item: Json, name: string) => Plan): Verify {
  return async function* (file, pack) {
    for (const [name, item] of file.get('cases').entries()) {
      let planned: Plan
      try {
        planned = plan(item, name)
      } catch (error) {
        if (!(error instanceof NotImplemented)) throw error
        yield { notImplemented: `${name}: ${error.message}` }
        continue
      }
      const said = item.get('inputs')
      const rows = await pack.rows(said)
      const targeted = planned.targeted === true
      const labels = targeted ? Int32Array.from(item.get('targets').numbers().values) : labelsOf(rows, said)
      const criterion: Criterion = targeted
        ? { kind: 'targeted', targets: labels }
        : { kind: 'misclassification', labels }
      for (const [id, expected] of item.get('expected').entries()) {
        const model = await pack.model(id)
        const x = tensorFor(model, rows, said)
        const { adversarial } = await planned.attack(model, x, criterion, planned.options as never, {
          seed: 0,
        })
        const got = Float32Array.from(await adversarial.data())
        x.dispose()
        adversarial.dispose()
        const byLength = expected.get('tolerance').get('compare').text() === 'success_and_l2'
        const compare = byLength ? compareLengths : compareAdversarial
        yield compare(`${name} ${id}`, expected, asInFile(expected, got, rows), rows, model, {
          labels,
          targeted,
        })
      }
    }
  }
}

/** The case's parameters under our names. One that is not named is NotImplemented; `prose` holds words, no number. */
export function optionsOf(
  item: Json,
  names: Record<string, string>,
  prose: readonly string[] = [],
): Record<string, number> {
  const params = item.get('params')
  const options: Record<string, number> = {}
  for (const [key, value] of params.entries()) {
    if (prose.includes(key)) continue
    const name = Object.hasOwn(names, key) ? names[key]! : undefined
    if (!name) throw new NotImplemented(`parameter ${key}`)
    options[name] = value.number()
  }
  return options
}

/** Which library's figures these are: the first word of the case's source. */
export function libraryOf(item: Json, known: readonly string[]): string {
  const library = item.get('source').text().split(' ')[0]!
  if (!known.includes(library)) throw new NotImplemented(`as ${library} does it`)
  return library
}

/** Our attacks give back x where they found nothing; the files hold zeros there. */
function asInFile(expected: Json, got: Float32Array, rows: Rows): Float32Array {
  const found = expected.maybe('found')?.numbers().values
  if (!found) return got
  if (found.length !== rows.count)
    throw new PackError(
      `${expected.where}.found: expected one flag for each of the ${rows.count} rows; got ${found.length}`,
    )
  const result = got.slice()
  for (let row = 0; row < rows.count; row++) {
    const [from, to] = [row * rows.width, (row + 1) * rows.width]
    const same = rows.values.slice(from, to).every((value, i) => value === got[from + i])
    if (same && found[row] === 0) result.fill(0, from, to)
  }
  return result
}

/** For long runs, whose pixels drift with rounding: each row a success or not as in the file, and as far from x. */
async function compareLengths(
  name: string,
  expected: Json,
  got: Float32Array,
  rows: Rows,
  model: Model,
  criterion: { labels: Int32Array; targeted: boolean },
): Promise<Check> {
  const tolerance = expected.get('tolerance').get('l2_abs').number()
  const [lengths, successes] = ['l2', 'success'].map((key) => expected.get(key).numbers().values) as [
    Float32Array,
    Float32Array,
  ]
  const faults = await inconsistencies(expected, expected.get('adv').numbers().values, rows, model, criterion)
  const read = await readRows(got, rows, model)
  let worst = 0
  for (let row = 0; row < rows.count; row++) {
    let squares = 0
    for (let i = row * rows.width; i < (row + 1) * rows.width; i++)
      squares += (got[i]! - rows.values[i]!) ** 2
    const apart = distance(Math.sqrt(squares), lengths[row]!)
    worst = Math.max(worst, apart)
    if (!(apart <= tolerance))
      faults.push(`row ${row}: l2 is ${lengths[row]} in the file; here ${Math.sqrt(squares)}`)
    const hit = criterion.targeted ? read[row] === criterion.labels[row] : read[row] !== criterion.labels[row]
    if (hit !== Boolean(successes[row]))
      faults.push(
        `row ${row}: success is ${Boolean(successes[row])} in the file; here it is read as ${read[row]}`,
      )
  }
  return {
    name,
    worst,
    tolerance,
    ok: faults.length === 0,
    ...(faults.length > 0 && { note: faults.join('; ') }),
  }
}

async function readRows(values: Float32Array, rows: Rows, model: Model): Promise<ArrayLike<number>> {
  const x = tensorFor(model, { ...rows, values }, { where: 'adv' } as Json)
  try {
    return await model.predict(x)
  } finally {
    x.dispose()
  }
}
