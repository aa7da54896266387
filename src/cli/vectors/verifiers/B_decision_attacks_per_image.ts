import { numbersIn } from '../aggregates.ts'
import { compareLengths, hopSkipJumpL2, lengthsOf, type Lengths } from '../decisions.ts'
import { NotImplemented } from '../json.ts'
import type { Verify } from '../verify.ts'

/** HopSkipJump, one image at a time, against foolbox and ART. */
export const verify: Verify = async function* (file, pack) {
  const [many, few] = numbersIn(file.get('tolerance'), /q5000 within ([\d.]+)%, q1000 within ([\d.]+)%/)
  for (const [id, libraries] of file.get('expected').entries()) {
    const model = await pack.model(id)
    const known = new Map<number, Lengths>()
    for (const [library, cases] of libraries.entries()) {
      if (!library.endsWith('_hopskipjump')) throw new NotImplemented(library)
      for (const [name, expected] of cases.entries()) {
        const queries = Number(/^q(\d+)$/.exec(name)![1])
        if (!known.has(queries))
          known.set(queries, await lengthsOf(hopSkipJumpL2, model, queries, file, pack))
        yield* compareLengths(
          `${id} ${library} ${name}`,
          known.get(queries)!,
          expected,
          queries < 5000 ? few! : many!,
        )
      }
    }
  }
}
