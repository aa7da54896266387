/** Runs a pack's files through the verifiers that exist: one file in verifiers/ for each kind of vectors. */
import { NotImplemented, PackError, type Json } from './json.ts'
import type { Pack } from './pack.ts'

/** One comparison: a case on a model, or one quantity. */
export interface Check {
  name: string
  /** Largest absolute difference that counted. */
  worst: number
  tolerance: number
  ok: boolean
  /** What is wrong, or what was excused, in words. */
  note?: string
}

/**
 * What a file in verifiers/ exports as `verify`. Its name is the beginning of the names it is for:
 * `model.ts` takes model_M1.json, `A_fgsm.ts` takes A_fgsm.json. It yields checks as they are done, and
 * throws NotImplemented for a case it cannot run.
 */
export type Verify = (file: Json, pack: Pack) => AsyncGenerator<Check | { notImplemented: string }>

export interface FileReport {
  file: string
  status: 'pass' | 'fail' | 'not implemented' | 'inputs'
  checks: Check[]
  /** Cases, or the whole file, that this project cannot run yet. */
  notImplemented: string[]
  /** Why the file could not be read to its end. */
  error?: string
}

const modules = import.meta.glob<Verify>('./verifiers/*.ts', { eager: true, import: 'verify' })
const verifiers = new Map(
  Object.entries(modules).map(([path, verify]) => [path.slice('./verifiers/'.length, -'.ts'.length), verify]),
)

export const verifierNames = [...verifiers.keys()]

/** The verifier with the longest name that a file's name begins with. */
function verifierFor(file: string): Verify | undefined {
  const stem = file.replace(/\.json$/, '')
  const [best] = verifierNames
    .filter((name) => stem === name || stem.startsWith(`${name}_`))
    .sort((a, b) => b.length - a.length)
  return best === undefined ? undefined : verifiers.get(best)
}

/**
 * Never throws: what is wrong with a file is in its report, and the other files are still run. `onCheck` is told of
 * each comparison as it is done: some take minutes.
 */
export async function verifyFile(
  name: string,
  pack: Pack,
  onCheck: (check: Check, done: number) => void = () => {},
): Promise<FileReport> {
  const report: FileReport = { file: name, status: 'pass', checks: [], notImplemented: [] }
  try {
    const file = await pack.file(name)
    if (name.startsWith('inputs_')) return { ...report, status: 'inputs' }
    const verify = verifierFor(name)
    if (!verify) return { ...report, status: 'not implemented', notImplemented: ['the whole file'] }
    for await (const result of verify(file, pack)) {
      if ('notImplemented' in result) report.notImplemented.push(result.notImplemented)
      else onCheck(result, report.checks.push(result))
    }
    if (report.checks.length === 0 && report.notImplemented.length === 0)
      throw new PackError(`${name}: holds no case`)
  } catch (error) {
    if (error instanceof NotImplemented) report.notImplemented.push(error.message)
    else report.error = error instanceof Error ? error.message : String(error)
  }
  if (report.error !== undefined || report.checks.some(({ ok }) => !ok)) report.status = 'fail'
  else if (report.checks.length === 0) report.status = 'not implemented'
  return report
}

/** Compares two equally long arrays; a number that is not finite is infinitely wrong. */
export function compare(
  name: string,
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): Check {
  if (got.length !== expected.length)
    return {
      name,
      worst: Infinity,
      tolerance,
      ok: false,
      note: `${expected.length} numbers are given where ${got.length} are due`,
    }
  let worst = 0
  let at = 0
  for (let i = 0; i < got.length; i++) {
    const apart = distance(got[i]!, expected[i]!)
    if (apart > worst) [worst, at] = [apart, i]
  }
  const ok = worst <= tolerance
  return {
    name,
    worst,
    tolerance,
    ok,
    ...(ok ? {} : { note: `number ${at} is ${expected[at]} in the file; here ${got[at]}` }),
  }
}

export function distance(a: number, b: number): number {
  const apart = Math.abs(a - b)
  return Number.isNaN(apart) ? Infinity : apart
}
