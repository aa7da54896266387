import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { deflateSync, inflateSync } from 'fflate'
import type { PoisonList } from '../attacks/poison-list.ts'
import { PerturbError } from '../core/errors.ts'
import type { Artefact } from './artefact.ts'

/** Float32 numbers inside JSON: little-endian, deflated, base64. */
export interface PackedFloats {
  encoding: 'float32-le+deflate+base64'
  length: number
  data: string
}

/** An artefact with its arrays packed: plain JSON. */
export type PackedArtefact =
  | { kind: 'adversarial-examples'; ids: number[]; shape: number[]; pixels: PackedFloats }
  | {
      kind: 'model-weights'
      model: string
      tensors: { name: string; shape: number[]; values: PackedFloats }[]
    }
  | { kind: 'scores'; ids: number[]; columns: { name: string; values: PackedFloats }[] }
  | ({ kind: 'change-list'; values?: PackedFloats | undefined } & Omit<PoisonList, 'values'>)
  | { kind: 'answer'; choices: Record<string, string[]> }

/** How many unpacked bytes may still be made; shared by everything in one file. */
export interface Allowance {
  bytes: number
}

export function packArtefact(artefact: Artefact): PackedArtefact {
  switch (artefact.kind) {
    case 'adversarial-examples':
      return { ...artefact, pixels: packFloats(artefact.pixels) }
    case 'model-weights':
      return {
        ...artefact,
        tensors: artefact.tensors.map((tensor) => ({ ...tensor, values: packFloats(tensor.values) })),
      }
    case 'scores':
      return {
        ...artefact,
        columns: artefact.columns.map(({ name, values }) => ({ name, values: packFloats(values) })),
      }
    case 'change-list': {
      const { values, ...rest } = artefact
      return values ? { ...rest, values: packFloats(values) } : rest
    }
    case 'answer':
      return artefact
  }
}

/** Throws `unreadable` when an array is damaged or larger than the allowance that is left. */
export function unpackArtefact(packed: PackedArtefact, allowance: Allowance): Artefact {
  switch (packed.kind) {
    case 'adversarial-examples':
      return { ...packed, pixels: unpackFloats(packed.pixels, allowance) }
    case 'model-weights':
      return {
        ...packed,
        tensors: packed.tensors.map((tensor) => ({
          ...tensor,
          values: unpackFloats(tensor.values, allowance),
        })),
      }
    case 'scores':
      return {
        ...packed,
        columns: packed.columns.map(({ name, values }) => ({
          name,
          values: unpackFloats(values, allowance),
        })),
      }
    case 'change-list': {
      const { values, ...rest } = packed
      return values ? { ...rest, values: unpackFloats(values, allowance) } : rest
    }
    case 'answer':
      return packed
  }
}

/** SHA-256 over an artefact's content, arrays by their bytes: equal digests are equal hand-ins. */
export function artefactDigest(artefact: Artefact): string {
  const hash = sha256.create()
  const add = (text: string) => hash.update(utf8ToBytes(`${text.length}:${text}`))
  add(artefact.kind)
  switch (artefact.kind) {
    case 'adversarial-examples':
      add(JSON.stringify([artefact.ids, artefact.shape]))
      hash.update(littleEndian(artefact.pixels))
      break
    case 'model-weights':
      add(artefact.model)
      for (const { name, shape, values } of artefact.tensors) {
        add(JSON.stringify([name, shape]))
        hash.update(littleEndian(values))
      }
      break
    case 'scores':
      add(JSON.stringify(artefact.ids))
      for (const { name, values } of artefact.columns) {
        add(name)
        hash.update(littleEndian(values))
      }
      break
    case 'change-list':
      add(JSON.stringify([artefact.ids, artefact.labels]))
      if (artefact.trigger) add(JSON.stringify([artefact.trigger, artefact.stamped]))
      if (artefact.values) hash.update(littleEndian(artefact.values))
      break
    case 'answer':
      add(
        JSON.stringify(
          Object.entries(artefact.choices)
            .map(([quiz, chosen]) => [quiz, [...chosen].sort()])
            .sort(),
        ),
      )
  }
  return bytesToHex(hash.digest())
}

export function packFloats(values: Float32Array): PackedFloats {
  return {
    encoding: 'float32-le+deflate+base64',
    length: values.length,
    data: toBase64(deflateSync(littleEndian(values))),
  }
}

export function unpackFloats({ length, data }: PackedFloats, allowance: Allowance): Float32Array {
  const size = length * 4
  if (size > allowance.bytes)
    throw new PerturbError('unreadable', 'the arrays in the file unpack to more than is allowed')
  allowance.bytes -= size
  // Inflated into memory of the stated size, one byte more than is right: an array that lies about its
  // length is noticed, and never costs more memory than it said.
  let bytes: Uint8Array
  try {
    bytes = inflateSync(fromBase64(data), { out: new Uint8Array(size + 1) })
  } catch (error) {
    throw new PerturbError('unreadable', 'an array in the file is damaged and cannot be unpacked', {
      cause: error,
    })
  }
  if (bytes.length !== size)
    throw new PerturbError(
      'unreadable',
      `an array in the file must unpack to ${length} numbers; it is ${bytes.length > size ? 'longer' : 'shorter'}`,
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset, size)
  return Float32Array.from({ length }, (_, i) => view.getFloat32(4 * i, true))
}

function littleEndian(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  values.forEach((value, i) => view.setFloat32(4 * i, value, true))
  return bytes
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const codes = new Int16Array(128).fill(-1)
for (let i = 0; i < 64; i++) codes[letters.charCodeAt(i)] = i

/** RFC 4648 §4, with padding. Of our own because the trusted layers know neither the DOM nor Node. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b = 0, c = 0] = bytes.subarray(i, i + 3) as unknown as [number, number?, number?]
    const left = bytes.length - i
    parts.push(
      letters[a >> 2]! +
        letters[((a & 3) << 4) | (b >> 4)]! +
        (left > 1 ? letters[((b & 15) << 2) | (c >> 6)]! : '=') +
        (left > 2 ? letters[c & 63]! : '='),
    )
  }
  return parts.join('')
}

/** Throws `unreadable` for anything that is not base64. */
export function fromBase64(text: string): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if (text.length % 4 !== 0)
    throw new PerturbError(
      'unreadable',
      'base64 comes in groups of four letters; the last group is cut short',
    )
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  for (let i = 0, out = 0; i < text.length; i += 4) {
    let group = 0
    for (let j = 0; j < 4; j++) {
      const at = text.charCodeAt(i + j)
      const isPadding = i + j >= text.length - padding
      const code = isPadding ? 0 : at < 128 ? codes[at]! : -1
      if (code < 0) throw new PerturbError('unreadable', `"${text[i + j]}" is not a base64 letter`)
      group = (group << 6) | code
    }
    for (let j = 0; j < 3 && out < bytes.length; j++) bytes[out++] = (group >> (16 - 8 * j)) & 255
  }
  return bytes
}
