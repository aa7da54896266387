/** What files of stochastic attacks share: inputs in words, parameters in a call, and figures within bands. */
import { PackError, type Json } from './json.ts'
import type { Pack, Rows } from './pack.ts'
import { distance, type Check } from './verify.ts'

/** The evaluation images, as many as the file says: "… eval100_x_times_16 / 16 …; first 50 images", "first 20 of eval100". */
export async function evaluationRows(file: Json, pack: Pack): Promise<Rows & { labels: Int32Array }> {
  const said = file.get('inputs')
  const words = said.text()
  if (!/\beval100\b|\beval100_x_times_16 \/ 16\b/.test(words))
    throw new PackError(`${said.where}: expected images of eval100; got "${words.slice(0, 80)}"`)
  const inputs = await pack.file('inputs_digits.json')
  const { values, shape } = inputs.get('eval100_x_times_16').numbers()
  const labels = Int32Array.from(inputs.get('eval100_y').numbers().values)
  const all = shape[0]!
  const count = Number(/\bfirst (\d+)\b/.exec(words)?.[1] ?? all)
  if (count < 1 || count > all || labels.length !== all)
    throw new PackError(
      `${said.where}: asks for ${count} of ${all} images, which have ${labels.length} labels`,
    )
  const width = values.length / all
  return {
    count,
    width,
    values: values.slice(0, count * width).map((value) => value / 16),
    labels: labels.slice(0, count),
  }
}

/** The number after `name=` in a call. */
export function argument(call: Json, name: string): number {
  const found = new RegExp(`\\b${name}=(-?[\\d.]+(?:e-?\\d+)?)`).exec(call.text())
  if (!found) throw new PackError(`${call.where}: no number "${name}=…" in "${call.text().slice(0, 120)}"`)
  return Number(found[1])
}

/** The numbers of a sentence, by a pattern with a group for each. */
export function numbersIn(said: Json, pattern: RegExp): number[] {
  const found = pattern.exec(said.text())
  if (!found) throw new PackError(`${said.where}: expected ${pattern.source}; got "${said.text()}"`)
  return found.slice(1).map(Number)
}

/** Seeds of the file's runs, which are ours too. */
export function seedsOf(file: Json): number[] {
  return [...file.get('seeds').numbers().values]
}

/** A figure against the file's, at most `tolerance` away; `lowerIsBetter` lets it be lower by any amount. */
export function within(
  name: string,
  got: number,
  expected: number,
  tolerance: number,
  { lowerIsBetter = false } = {},
): Check {
  const apart = lowerIsBetter ? Math.max(0, got - expected) : distance(got, expected)
  const ok = apart <= tolerance
  const [here, there] = [got, expected].map((value) => Number(value.toPrecision(4)))
  return {
    name,
    worst: apart,
    tolerance,
    ok,
    ...(!ok && {
      note: `${there} in the file; here ${here}, more than ${Number(tolerance.toPrecision(3))} away`,
    }),
  }
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

export function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
}
