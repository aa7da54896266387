import { boundary } from '../../../attacks/evasion/boundary.ts'
import { argument, numbersIn } from '../aggregates.ts'
import { compareLengths, hopSkipJumpL2, lengthsOf } from '../decisions.ts'
import { NotImplemented } from '../json.ts'
import type { Verify } from '../verify.ts'

/**
 * The boundary attack against foolbox, 50 images in one batch. The file warns that its HopSkipJump rows suffer
 * from a fault of the library; ours must be no longer than they, and is held to
 * B_decision_attacks_per_image.json for the rest.
 */
export const verify: Verify = async function* (file, pack) {
  const [many, few] = numbersIn(file.get('tolerance'), /within ([\d.]+)% \(q5000\) \/ ([\d.]+)% \(q1000\)/)
  const call = file.get('call').get('boundary')
  const options = { sidestep: argument(call, 'spherical_step'), approach: argument(call, 'source_step') }
  const attacks: Record<string, typeof hopSkipJumpL2> = {
    hopskipjump: hopSkipJumpL2,
    boundary: (oracle, x, criterion, { maxQueries }, run) =>
      boundary(oracle, x, criterion, { ...options, maxQueries }, run),
  }
  for (const [attack, models] of file.get('expected').entries()) {
    const ours = attacks[attack]
    if (!ours) throw new NotImplemented(attack)
    for (const [id, cases] of models.entries()) {
      const model = await pack.model(id)
      for (const [name, expected] of cases.entries()) {
        const queries = /^q(\d+)$/.exec(name)
        if (!queries) continue
        const lengths = await lengthsOf(ours, model, Number(queries[1]), file, pack)
        yield* compareLengths(
          `${attack} ${id} ${name}`,
          lengths,
          expected,
          Number(queries[1]) < 5000 ? few! : many!,
        )
      }
    }
  }
}
