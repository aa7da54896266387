import type { FetchBytes } from '../core/backends.ts'
import { PerturbError } from '../core/errors.ts'
import { tensor } from '../core/tf.ts'
import type { DataSet, Feature, Split } from './data-set.ts'
import { decodePng, type Picture } from './png.ts'
import { readRatings } from './ratings.ts'
import { fetchShipped, fetchShippedText, isShipped } from './shipped.ts'
import { loadTable } from './table.ts'

interface SplitHeader {
  file: string
  count: number
  /** Images a sprite row. */
  columns: number
  /** One base-36 character an image. */
  labels: string
}

interface Header {
  height: number
  width: number
  channels: number
  /** What one image shows: "digit". */
  noun?: string
  classes: string[]
  /** Of a table, one a column. */
  features?: Feature[]
  simulated?: boolean
  train: SplitHeader
  /** A catalogue has none. */
  test?: SplitHeader
  /** Of a catalogue: who rated its items. */
  ratings?: { file: string; users: number; scale: [number, number]; keptBack: number }
}

/**
 * Loads static/data/<name>/, decoded once; pixels stay uint8 until asked for. A folder with a schema.json is a table
 * (`loadTable`). Throws PerturbError
 * `missing`, `checksum` or `unreadable`, naming the file.
 */
export async function loadDataSet(name: string, fetchBytes: FetchBytes): Promise<DataSet> {
  const folder = `data/${name}`
  if (isShipped(`${folder}/schema.json`)) return loadTable(name, fetchBytes)
  const header = JSON.parse(await fetchShippedText(`${folder}/header.json`, fetchBytes)) as Header
  const { height, width, channels, classes, features, simulated = false, noun = 'image' } = header
  const read = async (split: SplitHeader) => {
    const path = `${folder}/${split.file}`
    return splitOf(decodePng(await fetchShipped(path, fetchBytes), path), header, split, path)
  }
  const [train, test] = await Promise.all([
    read(header.train),
    header.test ? read(header.test) : noRows(header),
  ])
  if (features && features.length !== height * width * channels)
    throw new PerturbError(
      'unreadable',
      `${folder}/header.json: names ${features.length} features for rows of ${height * width * channels} numbers`,
    )
  const ratings = header.ratings && (await readShop(folder, header.ratings, train, fetchBytes))
  const more = {
    ...(features ? { features } : {}),
    ...(simulated ? { isSimulated: true } : {}),
    ...(ratings ? { ratings } : {}),
  }
  return { name, noun, shape: [height, width, channels], classes, ...more, train, test }
}

async function readShop(
  folder: string,
  { file, users, scale, keptBack }: NonNullable<Header['ratings']>,
  { count, labels }: Split,
  fetchBytes: FetchBytes,
) {
  const path = `${folder}/${file}`
  const groups = Int32Array.from(labels)
  const table = { numUsers: users, numItems: count, scale, groups }
  return readRatings(path, await fetchShippedText(path, fetchBytes), table, keptBack)
}

const noRows = ({ height, width, channels }: Header): Split => ({
  count: 0,
  labels: new Uint8Array(0),
  pixels: () => new Float32Array(0),
  images: () => tensor([], [0, height, width, channels]),
})

const unitScale = Float32Array.from({ length: 256 }, (_, value) => value / 255)

function splitOf(sprite: Picture, header: Header, split: SplitHeader, path: string): Split {
  const { height, width, channels } = header
  const { count, columns } = split
  const rows = Math.ceil(count / columns)
  const expected = `${columns * width} × ${rows * height} × ${channels}`
  const got = `${sprite.width} × ${sprite.height} × ${sprite.channels}`
  if (got !== expected)
    throw new PerturbError('unreadable', `${path}: expected a sprite of ${expected}, got ${got}`)
  const labels = Uint8Array.from(split.labels, (character) => parseInt(character, 36))
  if (labels.length !== count || labels.some((label) => label >= header.classes.length)) {
    throw new PerturbError(
      'unreadable',
      `${path}: header.json gives ${labels.length} labels for ${count} images, or a label without a class`,
    )
  }
  const size = height * width * channels
  const bytes = cut(sprite, header, split)
  const pixels = (ids: ArrayLike<number>) => {
    const out = new Float32Array(ids.length * size)
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!
      if (!Number.isInteger(id) || id < 0 || id >= count) {
        throw new PerturbError(
          'bad-input',
          `${path}: no image ${id}; ids are whole numbers from 0 to ${count - 1}`,
        )
      }
      for (let j = 0; j < size; j++) out[i * size + j] = unitScale[bytes[id * size + j]!]!
    }
    return out
  }
  return {
    count,
    labels,
    pixels,
    images: (ids) => tensor(pixels(ids), [ids.length, height, width, channels]),
  }
}

/** Sprite → one image after another. */
function cut(
  sprite: Picture,
  { height, width, channels }: Header,
  { count, columns }: SplitHeader,
): Uint8Array {
  const line = width * channels
  const out = new Uint8Array(count * height * line)
  for (let i = 0; i < count; i++) {
    const top = Math.floor(i / columns) * height
    const left = (i % columns) * line
    for (let row = 0; row < height; row++) {
      const from = (top + row) * sprite.width * channels + left
      out.set(sprite.pixels.subarray(from, from + line), (i * height + row) * line)
    }
  }
  return out
}
