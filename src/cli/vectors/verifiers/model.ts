import { PackError } from '../json.ts'
import { tensorFor } from '../pack.ts'
import { compare, type Verify } from '../verify.ts'

/** Logits of a model file's weights on the inputs it names (`logits32` and the like). */
export const verify: Verify = async function* (file, pack) {
  const id = /^model_(.+)\.json$/.exec(file.file)?.[1]
  if (!id) throw new PackError(`${file.file}: expected a name like model_M1.json`)
  const model = await pack.model(id)
  const said = file.get('inputs_ref')
  const x = tensorFor(model, await pack.rows(said), said)
  try {
    const logits = await model.logitsArray(x)
    const tolerance = file.get('tolerance').get('logits_abs').number()
    const tables = file.entries().filter(([key]) => /^logits\d*$/.test(key))
    if (tables.length === 0) throw new PackError(`${file.file}: no logits to compare with`)
    for (const [key, table] of tables) yield compare(key, logits, table.numbers().values, tolerance)
  } finally {
    x.dispose()
  }
}
