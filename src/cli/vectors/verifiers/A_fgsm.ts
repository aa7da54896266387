import { fgsm } from '../../../attacks/evasion/fgsm.ts'
import type { Criterion } from '../../../core/criteria.ts'
import { compareAdversarial } from '../adversarial.ts'
import { NotImplemented, type Json } from '../json.ts'
import { labelsOf, tensorFor } from '../pack.ts'
import type { Verify } from '../verify.ts'

const norms: Record<string, 'linf' | 'l2'> = { linf: 'linf', l2: 'l2' }
const known = new Set(['eps', 'norm', 'targeted', 'random_start'])

/** One step of each length, on each model, element by element. */
export const verify: Verify = async function* (file, pack) {
  for (const [name, item] of file.get('cases').entries()) {
    let options
    try {
      options = readParameters(item.get('params'))
    } catch (error) {
      if (!(error instanceof NotImplemented)) throw error
      yield { notImplemented: `${name}: ${error.message}` }
      continue
    }
    const said = item.get('inputs')
    const rows = await pack.rows(said)
    const targeted = options.targeted
    const labels = targeted ? Int32Array.from(item.get('targets').numbers().values) : labelsOf(rows, said)
    const criterion: Criterion = targeted ? { kind: 'targeted', targets: labels } : { kind: 'misclassification', labels }
    for (const [id, expected] of item.get('expected').entries()) {
      const model = await pack.model(id)
      const x = tensorFor(model, rows, said)
      const { adversarial } = await fgsm(model, x, criterion, { epsilon: options.epsilon, norm: options.norm }, { seed: 0 })
      const values = (await adversarial.data()) as Float32Array
      x.dispose()
      adversarial.dispose()
      yield compareAdversarial(`${name} ${id}`, expected, values, rows, model, { labels, targeted })
    }
  }
}

function readParameters(params: Json): { epsilon: number; norm: 'linf' | 'l2'; targeted: boolean } {
  const flag = (key: string) => params.maybe(key)?.value === true
  const said = params.get('norm').text()
  const norm = norms[said.toLowerCase()]
  if (!norm) throw new NotImplemented(`norm ${said}`)
  if (flag('random_start')) throw new NotImplemented('random_start')
  for (const [key] of params.entries()) if (!known.has(key)) throw new NotImplemented(`parameter ${key}`)
  return { epsilon: params.get('eps').number(), norm, targeted: flag('targeted') }
}
