import type { BrowserContext } from '@playwright/test'

/** A list of numbers that crossed between the engine and the sandbox. */
export interface Crossing {
  way: 'in' | 'out'
  values: number[]
}

/** Runs in every frame before its own scripts: tells of each list of numbers that enters or leaves the sandbox's frame. */
function listen() {
  if (window === window.top) return
  const tell = (globalThis as unknown as { perturbSaw(crossing: Crossing): void }).perturbSaw
  const look = (way: Crossing['way'], value: unknown, depth = 0): void => {
    if (depth > 6 || typeof value !== 'object' || value === null) return
    if (value instanceof Float32Array || value instanceof Float64Array) {
      // Of thousands of pictures only what is no pixel: weights have negative numbers among them.
      const isLong = value.length > 12_000
      const values = isLong ? value.filter((number) => number < 0 || number > 1).slice(0, 12_000) : value
      return tell({ way, values: Array.from(values) })
    }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return
    if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'number'))
      return tell({ way, values: value as number[] })
    for (const item of Object.values(value)) look(way, item, depth + 1)
  }
  addEventListener('message', ({ data }) => look('in', data), true)
  // What the frame hands on to its worker, and what it hears from it, both pass by a port.
  const { postMessage } = MessagePort.prototype
  MessagePort.prototype.postMessage = function (this: MessagePort, ...sent: unknown[]) {
    const type = (sent[0] as { type?: string } | null)?.type
    look(type === 'reply' || type === 'submitted' ? 'in' : 'out', sent[0])
    return (postMessage as (...all: unknown[]) => void).apply(this, sent)
  }
  const toWorker = Worker.prototype.postMessage as (...sent: unknown[]) => void
  Worker.prototype.postMessage = function (this: Worker, ...sent: unknown[]) {
    look('in', sent[0])
    return toWorker.apply(this, sent)
  }
  const onmessage = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')!
  Object.defineProperty(MessagePort.prototype, 'onmessage', {
    ...onmessage,
    set(this: MessagePort, handler: ((event: MessageEvent) => void) | null) {
      const heard = (event: MessageEvent) => {
        const { type } = (event.data ?? {}) as { type?: string }
        look(type === 'call' || type === 'submit' ? 'out' : 'in', event.data)
        handler?.call(this, event)
      }
      onmessage.set!.call(this, handler && heard)
    },
  })
}

/** Lists of numbers that cross the sandbox's border from here on, both ways. Call it before the page is opened. */
export async function watchCrossings(context: BrowserContext): Promise<Crossing[]> {
  const seen: Crossing[] = []
  await context.exposeFunction('perturbSaw', (crossing: Crossing) => void seen.push(crossing))
  await context.addInitScript(listen)
  return seen
}

/** Whether the weights stand in a list, one after the other or with other numbers evenly between them. */
export function holds({ values }: Crossing, weights: number[]): boolean {
  for (const stride of [1, 2, 3])
    for (let from = 0; from + stride * (weights.length - 1) < values.length; from++)
      if (weights.every((weight, i) => Math.abs(values[from + stride * i]! - weight) < 1e-4)) return true
  return false
}
