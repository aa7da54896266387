import * as tf from '../../../core/tf.ts'
import { integratedGradients, logitGradient, probabilityGradient } from '../../../metrics/attribution.ts'
import type { Model } from '../../../models/model.ts'
import { PackError, type Json } from '../json.ts'
import { labelsOf, tensorFor } from '../pack.ts'
import { compare, type Verify } from '../verify.ts'

interface Given {
  model: Model
  x: tf.Tensor
  y: Int32Array
  /** The quantity's definition in the file, in words. */
  definition: string
  /** How many rows the file tabulates. */
  rows: number
}

/** Losses, gradients and attributions of each model, by the name of the quantity. */
const quantities: Record<string, (given: Given) => Promise<Float32Array>> = {
  logits: ({ model, x }) => model.logitsArray(x),
  ce_loss: async ({ model, x, y }) => {
    const { loss, gradient } = await model.lossAndGradient(x, y)
    gradient.dispose()
    return read(loss)
  },
  ce_grad: async ({ model, x, y }) => {
    const { loss, gradient } = await model.lossAndGradient(x, y)
    loss.dispose()
    return read(gradient)
  },
  dlr: async ({ model, x, y }) => {
    const { loss, gradient } = await model.lossAndGradient(x, y, { kind: 'dlr' })
    gradient.dispose()
    return read(loss)
  },
  logit_grad: async ({ model, x, y }) => read(await logitGradient(model, y)(x)),
  prob_grad: async ({ model, x, y }) => read(await probabilityGradient(model, y)(x)),
  jacobian,
  ig_mid: async ({ model, x, y, definition }) =>
    read(await integratedGradients(logitGradient(model, y), x, count(definition, /(\d+) steps/), 'midpoint')),
  ig_trap: async ({ model, x, y, definition }) =>
    read(
      await integratedGradients(
        logitGradient(model, y),
        x,
        count(definition, /(\d+) points/) - 1,
        'trapezoid',
      ),
    ),
  ig_prob_mid: async ({ model, x, y, definition }) =>
    read(
      await integratedGradients(
        probabilityGradient(model, y),
        x,
        count(definition, /(\d+) steps/),
        'midpoint',
      ),
    ),
  ig_completeness_gap_mid: completenessGap,
}

export const verify: Verify = async function* (file, pack) {
  const said = file.get('inputs')
  const rows = await pack.rows(said)
  const y = labelsOf(rows, said)
  const definitions = file.get('definitions')
  for (const [id, expected] of file.get('expected').entries()) {
    const model = await pack.model(id)
    const x = tensorFor(model, rows, said)
    try {
      for (const [name, table] of expected.entries()) {
        if (name.startsWith('measured_')) continue
        const compute = Object.hasOwn(quantities, name) ? quantities[name]! : undefined
        if (!compute) {
          yield { notImplemented: `${id} ${name}` }
          continue
        }
        const { values, shape } = table.numbers()
        // Two of the three integrals lean on the definition of the first.
        const definition = `${definitions.maybe(name)?.text() ?? ''}; ${definitions.maybe('ig_mid')?.text() ?? ''}`
        const got = await compute({ model, x, y, definition, rows: shape[0]! })
        yield compare(`${id} ${name}`, got, values, toleranceOf(file, name))
      }
    } finally {
      x.dispose()
    }
  }
}

/** `<name>_abs` when the file has it, else the attributions' for integrals and the gradients' for the rest. */
function toleranceOf(file: Json, name: string): number {
  const given = file.get('tolerance')
  const group = name.startsWith('ig_') ? 'attributions_abs' : 'ce_grad_abs'
  return (given.maybe(`${name}_abs`) ?? given.get(group)).number()
}

/** d logits / dx of the first rows, (rows, classes, inputs): one product a class. */
async function jacobian({ model, x, rows }: Given): Promise<Float32Array> {
  const first = tf.slice(x, [0, ...model.inputShape.map(() => 0)], [rows, ...model.inputShape])
  const size = first.size / rows
  const result = new Float32Array(rows * model.numClasses * size)
  for (let k = 0; k < model.numClasses; k++) {
    const gradient = await read(await logitGradient(model, new Int32Array(rows).fill(k))(first))
    for (let row = 0; row < rows; row++)
      result.set(gradient.subarray(row * size, (row + 1) * size), (row * model.numClasses + k) * size)
  }
  first.dispose()
  return result
}

/** What the attributions add up to, less what the score gained over the baseline: 0 for an exact integral. */
async function completenessGap(given: Given): Promise<Float32Array> {
  const { model, x, y } = given
  const attributions = await quantities.ig_mid!(given)
  const baseline = tf.zerosLike(x)
  const [at, before] = [await model.logitsArray(x), await model.logitsArray(baseline)]
  baseline.dispose()
  const size = attributions.length / y.length
  return Float32Array.from(y, (label, row) => {
    const index = row * model.numClasses + label
    const sum = attributions.subarray(row * size, (row + 1) * size).reduce((total, value) => total + value, 0)
    return sum - (at[index]! - before[index]!)
  })
}

function count(definition: string, pattern: RegExp): number {
  const found = pattern.exec(definition)
  if (!found)
    throw new PackError(
      `A_gradients_attributions.json: definitions: expected a number of ${pattern.source.split(' ')[1]} in "${definition.slice(0, 80)}"`,
    )
  return Number(found[1])
}

async function read(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return (await tensor.data()) as Float32Array
  } finally {
    tensor.dispose()
  }
}
