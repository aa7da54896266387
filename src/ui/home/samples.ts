/** A digit of the test set, shipped apart (static/data/mnist-samples) so that it shows before data and model are here. */
export interface Sample {
  label: number
  /** (28 × 28) in [0, 1]. */
  pixels: Float32Array
}

/** Throws when the file is not there or is not what it should be. */
export async function fetchSamples(): Promise<Sample[]> {
  const answer = await fetch('./data/mnist-samples/digits.json')
  if (!answer.ok) throw new Error(`data/mnist-samples/digits.json: expected 200; got ${answer.status}`)
  return parseSamples(await answer.json())
}

/** Expects {digits: [{label, pixels}]}, pixels being 784 bytes in base64. */
export function parseSamples(file: unknown): Sample[] {
  const digits = (file as { digits?: unknown }).digits
  if (!Array.isArray(digits)) throw new Error('digits.json: expected a list of digits')
  return digits.map((digit: { label?: unknown; pixels?: unknown }, i) => {
    const bytes = typeof digit.pixels === 'string' ? atob(digit.pixels) : ''
    if (bytes.length !== 784 || typeof digit.label !== 'number') {
      throw new Error(`digits.json: expected a label and 784 bytes for digit ${i}; got ${bytes.length}`)
    }
    return { label: digit.label, pixels: Float32Array.from(bytes, (char) => char.charCodeAt(0) / 255) }
  })
}
