import type { FetchBytes } from '../core/backends.ts'
import { fetchShipped, fetchShippedText } from '../data/shipped.ts'
import type { Architecture, Model, Weight } from './model.ts'
import { createModel } from './network.ts'
import { parseWeights } from './weights.ts'

/** Architecture and weights of static/models/<name>/, as data. Throws as fetchShipped and parseWeights do. */
export async function loadWeights(
  name: string,
  fetchBytes: FetchBytes,
): Promise<{ architecture: Architecture; weights: Weight[] }> {
  const folder = `models/${name}`
  const architecture = JSON.parse(await fetchShippedText(`${folder}/model.json`, fetchBytes)) as Architecture
  const file = `${folder}/weights.bin`
  return { architecture, weights: parseWeights(architecture, await fetchShipped(file, fetchBytes), file) }
}

/** A shipped model on the current backend; every file checked against its sha256. Dispose it when done. */
export async function loadModel(name: string, fetchBytes: FetchBytes): Promise<Model> {
  const { architecture, weights } = await loadWeights(name, fetchBytes)
  return createModel(architecture, weights)
}
