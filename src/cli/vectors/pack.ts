import * as tf from '../../core/tf.ts'
import type { Model, Weight } from '../../models/model.ts'
import { createModel } from '../../models/network.ts'
import { weightShapes } from '../../models/weights.ts'
import { readArchitecture } from './architecture.ts'
import { Json, PackError } from './json.ts'

/** Inputs that a case names: rows of numbers, and a class for each when the file has them. */
export interface Rows {
  count: number
  width: number
  values: Float32Array
  labels?: Int32Array
}

/** A folder of reference vectors. Files, models and inputs are read once, when a case asks for them. */
export class Pack {
  readonly #files = new Map<string, Promise<Json>>()
  readonly #models = new Map<string, Promise<Model>>()

  /** `read` gives the text of one file, and rejects where there is none: a page has other ways than a disk. */
  constructor(
    readonly folder: string,
    /** Names of the JSON files, sorted. */
    readonly names: string[],
    private readonly read: (name: string) => Promise<string>,
  ) {}

  /** A folder on this disk. Throws PackError when it is missing or holds no JSON. */
  static async open(folder: string): Promise<Pack> {
    const { readdir, readFile } = await import('node:fs/promises')
    let names: string[]
    try {
      names = await readdir(folder)
    } catch (error) {
      throw new PackError(
        `${folder}: expected a folder of reference vectors (*.json); it cannot be read (${(error as NodeJS.ErrnoException).code})`,
        { cause: error },
      )
    }
    const json = names.filter((name) => name.endsWith('.json')).sort()
    if (json.length === 0)
      throw new PackError(`${folder}: expected reference vectors (*.json); there is none in it`)
    return new Pack(folder, json, (name) => readFile(`${folder}/${name}`, 'utf8'))
  }

  file(name: string): Promise<Json> {
    return once(this.#files, name, async () => {
      let text: string
      try {
        text = await this.read(name)
      } catch (error) {
        throw new PackError(`${name}: is missing from ${this.folder}`, { cause: error })
      }
      try {
        return new Json(name, '', JSON.parse(text))
      } catch (error) {
        throw new PackError(`${name}: is cut short or not JSON (${(error as Error).message})`, {
          cause: error,
        })
      }
    })
  }

  /** The model that a case calls e.g. "M2": model_M2.json. */
  model(id: string): Promise<Model> {
    return once(this.#models, id, async () => {
      const file = await this.file(`model_${id}.json`)
      const architecture = readArchitecture(file.get('architecture'), id)
      const given = file
        .get('weights')
        .entries()
        .map(([name, weight]) => {
          const shape = [...weight.get('shape').numbers().values]
          const { values } = weight.get('values').numbers()
          const size = shape.reduce((product, n) => product * n, 1)
          if (values.length !== size)
            throw new PackError(
              `${weight.where}: shape [${shape}] needs ${size} numbers; got ${values.length}`,
            )
          return { name, shape, values }
        })
      try {
        return createModel(
          architecture,
          inOrder(
            given,
            weightShapes(architecture).map(({ name }) => name),
          ),
        )
      } catch (error) {
        throw new PackError(`${file.file}: ${(error as Error).message}`, { cause: error })
      }
    })
  }

  /** What a file says of its inputs, e.g. "inputs_digits.json first 16 of x32 with y32"; y follows x's name. */
  async rows(said: Json): Promise<Rows> {
    const words = /^(\S+\.json) (?:first (\d+) of )?(x\w*)(?: with (\w+))?$/.exec(said.text().trim())
    if (!words)
      throw new PackError(
        `${said.where}: expected e.g. "inputs_digits.json first 16 of x32 with y32"; got "${said.text().slice(0, 80)}"`,
      )
    const [, name, first, key, labelKey] = words as unknown as [
      string,
      string,
      string | undefined,
      string,
      string | undefined,
    ]
    const file = await this.file(name)
    const field = file.get(key)
    const { values, shape } = field.numbers()
    if (shape.length < 2)
      throw new PackError(`${field.where}: expected rows of numbers; got shape [${shape}]`)
    const count = first === undefined ? shape[0]! : Number(first)
    if (count < 1 || count > shape[0]!)
      throw new PackError(`${said.where}: asks for the first ${count} of ${shape[0]} rows`)
    const width = values.length / shape[0]!
    const labels = labelKey ? file.get(labelKey) : file.maybe(key.replace(/^x/, 'y'))
    return {
      count,
      width,
      values: values.slice(0, count * width),
      labels: labels && Int32Array.from(labels.numbers().values.slice(0, count)),
    }
  }

  dispose(): void {
    for (const model of this.#models.values())
      void model.then(
        (loaded) => loaded.dispose(),
        () => undefined,
      )
  }
}

/** Rows as a tensor of the model's input shape. */
export function tensorFor(model: Model, rows: Rows, said: Json): tf.Tensor {
  const size = model.inputShape.reduce((product, n) => product * n, 1)
  if (rows.width !== size)
    throw new PackError(`${said.where}: its rows hold ${rows.width} numbers; the model reads ${size}`)
  return tf.tensor(rows.values, [rows.count, ...model.inputShape])
}

export function labelsOf(rows: Rows, said: Json): Int32Array {
  if (!rows.labels || rows.labels.length !== rows.count)
    throw new PackError(`${said.where}: the inputs have no class for each of the ${rows.count} rows`)
  return rows.labels
}

/** By name where the names are ours, else in the file's order, which is the layers'. */
function inOrder(given: Weight[], names: string[]): Weight[] {
  if (names.every((name) => given.some((weight) => weight.name === name)) || given.length !== names.length)
    return given
  return given.map((weight, i) => ({ ...weight, name: names[i]! }))
}

function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let found = known.get(key)
  if (!found) known.set(key, (found = make()))
  return found
}
