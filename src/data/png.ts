import { unzlibSync } from 'fflate'
import { PerturbError } from '../core/errors.ts'

export interface Picture {
  width: number
  height: number
  channels: number
  /** Row-major, channels interleaved. */
  pixels: Uint8Array
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
/** PNG colour type → channels, for 8-bit pictures without a palette. */
const channelsOf: Record<number, number> = { 0: 1, 2: 3, 4: 2, 6: 4 }

/**
 * Decodes an 8-bit, non-interlaced, palette-free PNG (W3C PNG, third edition) without a canvas: some
 * browsers add noise to what a canvas reads back, and Node has none. `name` is used in errors. Throws
 * PerturbError `unreadable` for a file that is no PNG, of another kind, damaged or cut short.
 */
export function decodePng(bytes: Uint8Array, name: string): Picture {
  const fail = (why: string) => new PerturbError('unreadable', `${name}: ${why}`)
  if (!signature.every((byte, i) => bytes[i] === byte)) throw fail('not a PNG (wrong first eight bytes)')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let header: Omit<Picture, 'pixels'> | undefined
  const parts: Uint8Array[] = []
  let ended = false
  for (let at = 8; !ended;) {
    if (at + 12 > bytes.length) throw fail(`cut short after ${bytes.length} bytes`)
    const length = view.getUint32(at)
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    const end = at + 12 + length
    if (end > bytes.length) throw fail(`cut short after ${bytes.length} bytes, in its ${type} chunk`)
    if (type === 'IHDR') header = readHeader(view, at + 8, length, fail)
    if (type === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length))
    ended = type === 'IEND'
    at = end
  }
  if (!header) throw fail('it has no IHDR chunk')
  return { ...header, pixels: unfilter(inflate(parts, header, fail), header, fail) }
}

type Fail = (why: string) => PerturbError

function readHeader(view: DataView, at: number, length: number, fail: Fail): Omit<Picture, 'pixels'> {
  if (length !== 13) throw fail(`its IHDR chunk has ${length} bytes instead of 13`)
  const [depth, colour, interlace] = [view.getUint8(at + 8), view.getUint8(at + 9), view.getUint8(at + 12)]
  const channels = channelsOf[colour]
  if (depth !== 8 || !channels || interlace !== 0) {
    throw fail(
      `expected 8 bits, no palette, no interlace; got ${depth} bits, colour type ${colour}, interlace ${interlace}`,
    )
  }
  return { width: view.getUint32(at), height: view.getUint32(at + 4), channels }
}

function inflate(
  parts: Uint8Array[],
  { width, height, channels }: Omit<Picture, 'pixels'>,
  fail: Fail,
): Uint8Array {
  const packed = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    packed.set(part, at)
    at += part.length
  }
  const expected = height * (1 + width * channels)
  let raw: Uint8Array
  try {
    raw = unzlibSync(packed)
  } catch (error) {
    throw fail(`its pixels do not inflate (${error instanceof Error ? error.message : error})`)
  }
  if (raw.length !== expected) throw fail(`expected ${expected} bytes of pixels, got ${raw.length}`)
  return raw
}

/** Undoes the row filters (PNG §9.2): each byte was stored as the difference to a guess from its neighbours. */
function unfilter(
  raw: Uint8Array,
  { width, height, channels }: Omit<Picture, 'pixels'>,
  fail: Fail,
): Uint8Array {
  const stride = width * channels
  const out = new Uint8Array(height * stride)
  for (let row = 0; row < height; row++) {
    const from = row * (stride + 1)
    const filter = raw[from]!
    if (filter > 4) throw fail(`row ${row} has filter ${filter}; the filters are 0 to 4`)
    const to = row * stride
    for (let i = 0; i < stride; i++) {
      const left = i >= channels ? out[to + i - channels]! : 0
      const up = row > 0 ? out[to + i - stride]! : 0
      let guess = 0
      if (filter === 1) guess = left
      else if (filter === 2) guess = up
      else if (filter === 3) guess = (left + up) >> 1
      else if (filter === 4)
        guess = paeth(left, up, row > 0 && i >= channels ? out[to + i - stride - channels]! : 0)
      out[to + i] = raw[from + 1 + i]! + guess
    }
  }
  return out
}

/** The neighbour nearest to left + up − upperLeft; ties in this order. */
function paeth(left: number, up: number, upperLeft: number): number {
  const toLeft = Math.abs(up - upperLeft)
  const toUp = Math.abs(left - upperLeft)
  const toUpperLeft = Math.abs(left + up - 2 * upperLeft)
  if (toLeft <= toUp && toLeft <= toUpperLeft) return left
  return toUp <= toUpperLeft ? up : upperLeft
}
