import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { randomBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/**
 * The seed of a learner's variant of a lab: HMAC-SHA-256 of the course key over learner and lab, cut to
 * 32 bits. The same learner always gets the same variant, and nobody without the key can tell which.
 * Plain JavaScript, so it works where `crypto.subtle` does not (http on a LAN address).
 */
export function variantSeed(courseKey: string, learner: string, lab: string): number {
  // JSON keeps ("ab", "c") and ("a", "bc") apart.
  return first32(hmac(sha256, utf8ToBytes(courseKey), utf8ToBytes(JSON.stringify([learner, lab]))))
}

/** Without a course: drawn once and stored with the lab's record. */
export function randomVariantSeed(): number {
  return first32(randomBytes(4))
}

function first32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
}
