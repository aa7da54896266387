/**
 * What console.log shows: one text a call, short enough to read and bounded however large or hostile the
 * value is (getters that throw, cycles, a million keys).
 */
const maxDepth = 3
const maxItems = 20
const maxTensorValues = 12
export const maxLineCharacters = 4_000

export function formatLine(values: readonly unknown[]): string {
  const text = values.map((value) => (typeof value === 'string' ? value : formatValue(value))).join(' ')
  return text.length > maxLineCharacters
    ? `${text.slice(0, maxLineCharacters)}… (${text.length} characters)`
    : text
}

export function formatValue(value: unknown): string {
  try {
    return format(value, 0, [])
  } catch {
    return '[a value that cannot be shown]'
  }
}

function format(value: unknown, depth: number, above: readonly object[]): string {
  switch (typeof value) {
    case 'string': {
      const shown = value.length > 200 ? `${value.slice(0, 200)}…` : value
      return depth === 0 ? value : `'${shown.replaceAll("'", "\\'")}'`
    }
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'function':
      return `[function ${value.name || 'without a name'}]`
    case 'object':
      return value === null ? 'null' : formatObject(value, depth, above)
    default:
      return String(value)
  }
}

function formatObject(value: object, depth: number, above: readonly object[]): string {
  if (above.includes(value)) return '[circular]'
  const tensor = formatTensor(value)
  if (tensor) return tensor
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof Promise) return 'Promise (write await in front of the call to get its value)'
  const inside = [...above, value]
  const show = (item: unknown) => format(item, depth + 1, inside)
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const numbers = value as unknown as ArrayLike<number> & { constructor: { name: string } }
    return `${numbers.constructor.name}(${numbers.length}) [${list(numbers, maxItems, shortNumber)}]`
  }
  if (Array.isArray(value)) {
    return depth >= maxDepth ? `[${value.length} items]` : `[${list(value, maxItems, show)}]`
  }
  if (value instanceof Map)
    return `Map(${value.size}) {${list([...value].slice(0, maxItems + 1), maxItems, ([k, v]) => `${show(k)} => ${show(v)}`, value.size)}}`
  if (value instanceof Set)
    return `Set(${value.size}) {${list([...value].slice(0, maxItems + 1), maxItems, show, value.size)}}`
  const keys = Object.keys(value)
  if (depth >= maxDepth) return `{${keys.length} keys}`
  const record = value as Record<string, unknown>
  const shown = list(keys, maxItems, (key) => `${key}: ${show(record[key])}`)
  return shown ? `{ ${shown} }` : '{}'
}

interface TensorLike {
  shape: number[]
  dtype: string
  size: number
  isDisposed: boolean
  dataSync(): ArrayLike<number>
}

/** `Tensor (100, 28, 28, 1) float32 [0, 0.12, … 78400 values]`, or nothing when the value is no tensor. */
function formatTensor(value: object): string | undefined {
  const tensor = value as TensorLike
  if (!('dataId' in value) || !Array.isArray(tensor.shape) || typeof tensor.dataSync !== 'function')
    return undefined
  const head = `Tensor (${tensor.shape.join(', ')}) ${tensor.dtype}`
  if (tensor.isDisposed) return `${head}, disposed`
  const values = tensor.dataSync()
  if (tensor.shape.length === 0) return `${head} ${shortNumber(values[0]!)}`
  return `${head} [${list(values, maxTensorValues, shortNumber)}]`
}

const shortNumber = (value: number) => String(Number.isInteger(value) ? value : Number(value.toPrecision(4)))

function list<T>(items: ArrayLike<T>, max: number, show: (item: T) => string, total = items.length): string {
  const shown = Array.from({ length: Math.min(items.length, max) }, (_, i) => show(items[i]!))
  if (total > shown.length) shown.push(`… ${total} in all`)
  return shown.join(', ')
}
