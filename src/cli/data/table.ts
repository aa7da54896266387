/** Writes a simulated table the way `src/data` reads it: one row of 8-bit values a picture, in a sprite. */
import { strToU8, zlibSync } from 'fflate'
import type { Feature } from '../../data/data-set.ts'

export interface SimulatedTable {
  /** What one row is, in one word. */
  noun: string
  classes: string[]
  features: Feature[]
  /** values: one a feature, on the feature's own scale (a logarithm where it says so). */
  rows: { values: number[]; label: number; split: 'train' | 'test' }[]
}

/** Rows beside each other in a sprite. */
const columns = 64

/** header.json, train.png and test.png. What lies outside a feature's low and high is cut off. Same table, same bytes. */
export function tableFiles(name: string, table: SimulatedTable): Record<string, Uint8Array> {
  const { noun, classes, features } = table
  const of = (split: 'train' | 'test') => table.rows.filter((row) => row.split === split)
  const header = {
    name,
    noun,
    simulated: true,
    height: 1,
    width: features.length,
    channels: 1,
    classes,
    features,
    layout:
      'row i is at line floor(i/columns), column i mod columns, one byte a feature; labels: one base-36 character a row',
    ...Object.fromEntries(
      (['train', 'test'] as const).map((split) => [
        split,
        {
          file: `${split}.png`,
          count: of(split).length,
          columns,
          labels: of(split)
            .map(({ label }) => label.toString(36))
            .join(''),
        },
      ]),
    ),
  }
  return {
    'header.json': strToU8(`${JSON.stringify(header, null, 1)}\n`),
    'train.png': sprite(of('train').map(({ values }) => quantised(values, features))),
    'test.png': sprite(of('test').map(({ values }) => quantised(values, features))),
  }
}

function quantised(values: readonly number[], features: readonly Feature[]): Uint8Array {
  return Uint8Array.from(features, ({ low, high }, i) => {
    const share = (values[i]! - low) / (high - low)
    return Math.round(255 * Math.min(1, Math.max(0, share)))
  })
}

/** A grey 8-bit PNG without row filters (W3C PNG, third edition). */
function sprite(rows: readonly Uint8Array[]): Uint8Array {
  const across = rows[0]!.length
  const width = columns * across
  const height = Math.ceil(rows.length / columns)
  const raw = new Uint8Array(height * (width + 1))
  for (const [i, row] of rows.entries())
    raw.set(row, Math.floor(i / columns) * (width + 1) + 1 + (i % columns) * across)
  const head = new Uint8Array(13)
  const view = new DataView(head.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  head.set([8, 0, 0, 0, 0], 8)
  return join([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', head),
    chunk('IDAT', zlibSync(raw, { level: 9, mem: 9 })),
    chunk('IEND', new Uint8Array(0)),
  ])
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length)
  const view = new DataView(out.buffer)
  view.setUint32(0, data.length)
  out.set(strToU8(type), 4)
  out.set(data, 8)
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)))
  return out
}

/** The checksum of a PNG chunk (W3C PNG, annex D). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
