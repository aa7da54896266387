import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import checksums from 'virtual:perturb/checksums'
import type { FetchBytes } from '../core/backends.ts'
import { PerturbError } from '../core/errors.ts'
import { platform } from '../core/platform.ts'

/**
 * Reads a file below static/ and checks it against the sha256 it was shipped with. Throws PerturbError
 * `missing` when it cannot be read or is not listed, `checksum` (naming the file, and saying when it is
 * cut short) when its bytes are others.
 */
export async function fetchShipped(
  path: string,
  fetchBytes: FetchBytes,
  known: Readonly<Record<string, string>> = checksums,
): Promise<Uint8Array> {
  const expected = known[path]
  if (!expected) throw new PerturbError('missing', `${path}: not a file of this app (no SHA256SUMS lists it)`)
  let bytes: Uint8Array
  try {
    bytes = await fetchBytes(path)
  } catch (error) {
    if (error instanceof PerturbError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new PerturbError(
      'missing',
      `${path}: could not be read (${detail}); reload, or check the copy of the app`,
      {
        cause: error,
      },
    )
  }
  const got = bytesToHex(sha256(bytes))
  if (got === expected) return bytes
  const what = isCutShort(path, bytes)
    ? `is cut short after ${bytes.length} bytes`
    : `was changed (${bytes.length} bytes)`
  throw new PerturbError(
    'checksum',
    `${path} ${what}: expected sha256 ${expected.slice(0, 12)}…, got ${got.slice(0, 12)}…; reload, or copy the app again`,
  )
}

/** Whether a file below static/ is one of the app's. */
export const isShipped = (path: string): boolean => Object.hasOwn(checksums, path)

/** UTF-8 text of a checked file. */
export async function fetchShippedText(path: string, fetchBytes: FetchBytes): Promise<string> {
  return decodeText(await fetchShipped(path, fetchBytes))
}

const decodeText = (bytes: Uint8Array) => new platform.TextDecoder('utf-8').decode(bytes)

/** A PNG ends with its IEND chunk, JSON where its brackets close. Other files do not tell. */
function isCutShort(path: string, bytes: Uint8Array): boolean {
  if (path.endsWith('.png')) return !decodeText(bytes.subarray(-12)).includes('IEND')
  if (path.endsWith('.json')) {
    try {
      JSON.parse(decodeText(bytes))
    } catch {
      return true
    }
  }
  return bytes.length === 0
}
