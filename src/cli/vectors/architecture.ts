import type { Architecture, Layer } from '../../models/model.ts'
import { NotImplemented, PackError, type Json } from './json.ts'

/**
 * Reads the `architecture` line of a model file:
 *
 *   x[8,8,1] NHWC -> conv2d 8@3x3 same stride1 relu -> maxpool 2 -> flatten [4,4,8]->128 NHWC -> dense 10 logits
 *
 * What stands in parentheses or after a semicolon is prose. A word that is not known is NotImplemented,
 * never skipped: it would change the numbers.
 */
export function readArchitecture(line: Json, name: string): Architecture {
  const unknown = (words: string) =>
    new NotImplemented(`${line.where}: "${words}" is not a layer this project has`)
  const [prose = ''] = line.text().split(';')
  const steps = prose
    .replace(/\([^)]*\)/g, ' ')
    .replace(/flatten\s*\[[^\]]*\]\s*->\s*\d+/g, 'flatten')
    .split('->')
    .map((step) => step.trim().replace(/\s+/g, ' '))
  const input = /^x\s*\[([\d,\s]+)\](?: NHWC)?$/i.exec(steps[0]!)
  if (!input)
    throw new PackError(
      `${line.where}: expected it to begin with the input's shape, e.g. x[8,8,1]; got "${steps[0]}"`,
    )
  const inputShape = input[1]!.split(',').map(Number)
  const layers = steps.slice(1).map((step) => readLayer(step) ?? fail(unknown(step)))
  const last = layers.at(-1)
  if (last?.type !== 'dense')
    throw new PackError(`${line.where}: expected a dense layer at the end; got "${steps.at(-1)}"`)
  // The convention of the packs: images lie in [0, 1], standardised features anywhere.
  const bounds: [number, number] = /standardi[sz]ed/i.test(line.text())
    ? [-Number.MAX_VALUE, Number.MAX_VALUE]
    : [0, 1]
  return {
    name,
    inputShape,
    numClasses: last.units,
    bounds,
    classes: Array.from({ length: last.units }, (_, i) => String(i)),
    layers,
  }
}

function readLayer(step: string): Layer | undefined {
  const dense = /^dense (\d+)(?: (relu|logits?|linear))?$/i.exec(step)
  if (dense) return { type: 'dense', units: Number(dense[1]), ...relu(dense[2]) }

  const conv = /^conv2d (\d+)@(\d+)x(\d+)((?: \w+)*)$/i.exec(step)
  if (conv && conv[2] === conv[3]) {
    const words = conv[4]!.trim().toLowerCase().split(' ').filter(Boolean)
    const layer: Layer = {
      type: 'conv2d',
      filters: Number(conv[1]),
      kernelSize: Number(conv[2]),
      padding: 'valid',
    }
    for (const word of words) {
      const stride = /^strides?(\d+)$/.exec(word)
      if (stride) layer.strides = Number(stride[1])
      else if (word === 'same' || word === 'valid') layer.padding = word
      else if (word === 'relu') layer.activation = 'relu'
      else if (word !== 'linear' && word !== 'nhwc') return undefined
    }
    return layer
  }

  const pool = /^maxpool (\d+)(?:x(\d+))?(?: stride(\d+))?$/i.exec(step)
  if (pool && (pool[2] ?? pool[1]) === pool[1] && (pool[3] ?? pool[1]) === pool[1])
    return { type: 'maxPool', size: Number(pool[1]) }

  return /^flatten(?: NHWC)?$/i.test(step) ? { type: 'flatten' } : undefined
}

const relu = (word: string | undefined): { activation?: 'relu' } =>
  word?.toLowerCase() === 'relu' ? { activation: 'relu' } : {}

function fail(error: Error): never {
  throw error
}
