/**
 * What the ML core may find around it. Page, worker, sandbox and Node differ, so everything that may be
 * missing is optional here, and the compiler makes callers ask.
 */
export interface AdapterInfo {
  vendor?: string
  architecture?: string
  device?: string
  description?: string
  isFallbackAdapter?: boolean
}

export interface GpuAdapter {
  readonly info?: AdapterInfo
  readonly isFallbackAdapter?: boolean
}

interface WebGLContext {
  readonly RENDERER: number
  getExtension(name: string): { UNMASKED_RENDERER_WEBGL?: number } | null
  getParameter(name: number): unknown
}

interface Port {
  onmessage: (() => void) | null
  postMessage(value: unknown): void
  close(): void
}

interface Platform {
  performance: { now(): number }
  navigator?: {
    gpu?: { requestAdapter(options?: object): Promise<GpuAdapter | null> }
    hardwareConcurrency?: number
  }
  /** Whether memory may be shared with other threads. */
  crossOriginIsolated?: boolean
  Worker?: new (address: string) => {
    onmessage: (() => void) | null
    onerror: ((event: { preventDefault(): void }) => void) | null
    terminate(): void
  }
  Blob?: new (parts: string[], options: { type: string }) => object
  URL?: { createObjectURL(blob: object): string; revokeObjectURL(address: string): void }
  OffscreenCanvas?: new (
    width: number,
    height: number,
  ) => {
    getContext(kind: string, attributes?: object): WebGLContext | null
  }
  WebAssembly?: {
    compile(bytes: Uint8Array): Promise<unknown>
    instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: unknown } }>
  }
  MessageChannel?: new () => { port1: Port; port2: Port }
  TextDecoder: new (encoding: string, options?: { fatal?: boolean }) => { decode(bytes: Uint8Array): string }
  TextEncoder: new () => { encode(text: string): Uint8Array }
  setTimeout(callback: () => void, ms: number): unknown
}

export const platform = globalThis as unknown as Platform

/** Milliseconds since some fixed moment, for measuring spans. */
export const now = (): number => platform.performance.now()

/**
 * Lets messages in (a cancel, another call) before a long loop goes on. A message to oneself, since
 * browsers stretch a nested setTimeout to 4 ms.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (!platform.MessageChannel) {
      platform.setTimeout(resolve, 0)
      return
    }
    const { port1, port2 } = new platform.MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })
}
