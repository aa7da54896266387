/**
 * Which engine does the arithmetic: WebGPU, WebGL, WASM or plain JavaScript (CPU). Chosen by measuring,
 * unless the learner chose. Each backend is imported only when it is started, so it is a chunk of its own.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import type { WhiteBoxAccess } from './classifier.ts'
import { PerturbError } from './errors.ts'
import { now, platform, type AdapterInfo, type GpuAdapter } from './platform.ts'
import * as tf from './tf.ts'
import type { FetchBytes } from './wasm-backend.ts'

export type { FetchBytes }

export const backendNames = ['webgpu', 'webgl', 'wasm', 'cpu'] as const
export type BackendName = (typeof backendNames)[number]

export const backendTitles: Record<BackendName, string> = {
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WASM',
  cpu: 'CPU',
}

/** What the badge and the doctor page show. */
export interface BackendReport {
  name: BackendName
  /** Adapter or processor in words, e.g. "Apple M2" or "SIMD, one thread". */
  device: string
  /** Why this one: "fastest of three measured", "chosen by you", "WebGPU has only a software adapter". */
  why: string
  probes: BackendProbe[]
}

export interface BackendProbe {
  name: BackendName
  /** Could it be used at all (in `auto`)? */
  available: boolean
  /** Why it is not available, or why it was not measured. */
  reason?: string
  /** One input gradient of the probe model on a few images, in milliseconds. */
  ms?: number
}

export interface StartOptions {
  /**
   * The absolute address of the app's folder, with a slash: from there WASM may take more than one thread where the
   * page is cross-origin isolated. Left out, it takes one.
   */
  threadsFrom?: string
}

export interface BackendChoice extends StartOptions {
  preference: BackendName | 'auto'
  fetchBytes: FetchBytes
  /** Builds, on the current backend, the model to measure with; the probe disposes it. */
  probeModel?: () => Promise<WhiteBoxAccess & { dispose(): void }>
}

/**
 * Starts one named backend and makes it the current one; bytes of the WASM binary come by injection
 * (fetch, disk or a port). Throws PerturbError `unavailable` with the reason when the machine lacks it.
 */
export async function startBackend(
  name: BackendName,
  fetchBytes: FetchBytes,
  { threadsFrom }: StartOptions = {},
): Promise<void> {
  switch (name) {
    case 'wasm': {
      const { startWasm } = await import('./wasm-backend.ts')
      if (threadsFrom === undefined || !platform.crossOriginIsolated) return startWasm(fetchBytes)
      const { threadsHere } = await import('./wasm-threads.ts')
      return startWasm(fetchBytes, await threadsHere(threadsFrom))
    }
    case 'cpu':
      await import('@tensorflow/tfjs-backend-cpu')
      await activate('cpu')
      return
    case 'webgpu': {
      const { adapter, reason } = await webgpuAdapter()
      if (!adapter) throw new PerturbError('unavailable', `WebGPU: ${reason}`)
      await import('@tensorflow/tfjs-backend-webgpu')
      const { registerWebgpuKernels } = await import('./kernels/webgpu.ts')
      const { spareTheDevice } = await import('./kernels/webgpu-traffic.ts')
      registerWebgpuKernels()
      // A step of a small model is some thirty tiny programs: hand them over together.
      tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', 32)
      await activate('webgpu')
      spareTheDevice(tf.backend() as WebGPUBackend)
      watchDevice('webgpu')
      return
    }
    case 'webgl': {
      const { reason } = webglDevice()
      if (reason) throw new PerturbError('unavailable', `WebGL: ${reason}`)
      await import('@tensorflow/tfjs-backend-webgl')
      const { registerWebglKernels } = await import('./kernels/webgl.ts')
      registerWebglKernels()
      await activate('webgl')
      if (!tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) {
        throw new PerturbError('unavailable', `WebGL: ${noFloat32}`)
      }
      watchDevice('webgl')
      return
    }
  }
}

const noFloat32 = 'it cannot render 32-bit floats here, so small gradients would become zero'

async function activate(name: BackendName): Promise<void> {
  const title = backendTitles[name]
  let started = false
  try {
    if (lostBackends.delete(name)) restart(name)
    started = await tf.setBackend(name)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new PerturbError('unavailable', `${title}: ${detail}`, { cause: error })
  }
  if (!started) throw new PerturbError('unavailable', `${title}: tfjs could not start it`)
}

/**
 * Chooses and starts a backend. `auto`: the fastest on the probe model, of WebGPU (where it has a real adapter,
 * else WebGL) and WASM: the way to a graphics device costs more than a very small model's arithmetic. A
 * preference that cannot be met falls back to `auto`, and `why` says so.
 * Throws PerturbError `unavailable` only when not even plain JavaScript starts.
 */
export async function chooseBackend(choice: BackendChoice): Promise<BackendReport> {
  const { preference, fetchBytes } = choice
  const start = (name: BackendName) => startBackend(name, fetchBytes, choice)
  let unmet = ''
  if (preference !== 'auto') {
    try {
      await start(preference)
      const probes = [{ name: preference, available: true, ms: await measureBest(preference, choice, true) }]
      return { name: preference, device: await deviceWords(preference), why: 'chosen by you', probes }
    } catch (error) {
      unmet = `you chose ${backendTitles[preference]}, which does not work here (${reasonOf(error)}); `
    }
  }
  const probes = new Map<BackendName, BackendProbe>()
  const finish = async (name: BackendName, why: string): Promise<BackendReport> => {
    if (tf.getBackend() !== name) await start(name)
    const listed = backendNames.map((known) => probes.get(known)).filter((probe) => probe !== undefined)
    return { name, device: await deviceWords(name), why: unmet + why, probes: listed }
  }
  const attempt = async (name: BackendName) => {
    try {
      await start(name)
      probes.set(name, { name, available: true, ms: await measureBest(name, choice, name === 'cpu') })
    } catch (error) {
      probes.set(name, { name, available: false, reason: reasonOf(error) })
    }
  }
  const skip = (name: BackendName, available: boolean, reason: string) =>
    probes.set(name, { name, available, reason })

  const { adapter, reason } = await webgpuAdapter()
  if (!adapter) skip('webgpu', false, reason)
  else if (isSoftware(adapter)) skip('webgpu', false, `only a software adapter (${adapterWords(adapter)})`)
  else await attempt('webgpu')
  const webgl = webglDevice()
  if (probes.get('webgpu')!.available) skip('webgl', true, 'not measured: WebGPU reaches the same device')
  else if (webgl.reason) skip('webgl', false, webgl.reason)
  else if (softwareRenderer.test(webgl.renderer))
    skip('webgl', false, `only a software renderer (${webgl.renderer})`)
  else await attempt('webgl')
  await attempt('wasm')
  if (probes.get('wasm')!.available) skip('cpu', true, 'not measured: WASM is faster wherever it runs')
  else await attempt('cpu')

  const measured = [...probes.values()]
    .filter((probe) => probe.ms !== undefined)
    .sort((a, b) => a.ms! - b.ms!)
  const [best, second] = measured
  if (!best) throw new PerturbError('unavailable', `No backend works here: ${reasons(probes)}`)
  if (second) return finish(best.name, `fastest of ${measured.length} measured`)
  return finish(best.name, reasons(probes))
}

const reasonOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replace(/^(WebGPU|WebGL|WASM|CPU): /, '')

/** "WebGPU: no adapter; WebGL: not in this browser" */
function reasons(probes: Map<BackendName, BackendProbe>): string {
  return [...probes.values()]
    .filter((probe) => !probe.available)
    .map((probe) => `${backendTitles[probe.name]}: ${probe.reason}`)
    .join('; ')
}

/** Enough that a backend shows what it can, few enough that nobody waits. */
const probeRows = 32
/** Where there is nothing to compare with: software graphics and plain JavaScript take long. */
const aloneRows = 4

/** As `measure`; WASM's threads, which cost a small model more than they bring, stay where they are faster on this one. */
async function measureBest(name: BackendName, choice: BackendChoice, alone: boolean): Promise<number> {
  const wasm =
    name === 'wasm' && choice.threadsFrom !== undefined ? await import('./wasm-backend.ts') : undefined
  if (!wasm?.offersThreads()) return measure(choice, alone)
  const one = await measure(choice)
  wasm.beginThreads()
  const many = await measure(choice)
  if (many < one) return many
  wasm.endThreads()
  return one
}

/**
 * Milliseconds of one input gradient: the better of two loops of three, since an attack too reads numbers back
 * only at its end. One gradient before them compiles. Without a rival a single one is enough.
 */
async function measure({ probeModel }: BackendChoice, alone = false): Promise<number> {
  const model = probeModel ? await probeModel() : undefined
  const rows = alone ? aloneRows : probeRows
  const x = tf.fill([rows, ...(model?.inputShape ?? [28, 28, 1])], 0.5)
  const labels = new Int32Array(rows)
  const gradient = async () => {
    if (!model)
      return tf.grad((input: tf.Tensor) => tf.sum(tf.square(tf.avgPool(input as tf.Tensor4D, 2, 2, 'same'))))(
        x,
      )
    const answer = await model.lossAndGradient(x, labels)
    answer.loss.dispose()
    return answer.gradient
  }
  const loop = async (goes: number) => {
    const started = now()
    let last: tf.Tensor | undefined
    for (let go = 0; go < goes; go++) {
      last?.dispose()
      last = await gradient()
    }
    await last!.data()
    last!.dispose()
    return (now() - started) / goes
  }
  try {
    await loop(1)
    return alone ? await loop(1) : Math.min(await loop(3), await loop(3))
  } finally {
    x.dispose()
    model?.dispose()
  }
}

const softwareRenderer = /swiftshader|llvmpipe|softpipe|software|basic render/i

const adapterInfo = (adapter: GpuAdapter): AdapterInfo => adapter.info ?? {}

/** A fallback adapter computes on the processor, slower than WASM: absent in `auto`, allowed by choice. */
function isSoftware(adapter: GpuAdapter): boolean {
  const info = adapterInfo(adapter)
  return (
    adapter.isFallbackAdapter === true ||
    info.isFallbackAdapter === true ||
    softwareRenderer.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`)
  )
}

function adapterWords(adapter: GpuAdapter): string {
  const { description, vendor, architecture, device } = adapterInfo(adapter)
  return description || [vendor, architecture, device].filter(Boolean).join(' ') || 'unnamed adapter'
}

async function webgpuAdapter(): Promise<{ adapter?: GpuAdapter; reason: string }> {
  const gpu = platform.navigator?.gpu
  if (!gpu)
    return { reason: 'not in this browser, or the page is not in a secure context (https or localhost)' }
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
    return adapter ? { adapter, reason: '' } : { reason: 'the browser found no adapter' }
  } catch (error) {
    return { reason: `asking for an adapter failed: ${reasonOf(error)}` }
  }
}

/** Looks for WebGL 2 without loading the backend. `reason` is empty when it can be tried. */
function webglDevice(): { renderer: string; reason: string } {
  if (!platform.OffscreenCanvas) return { renderer: '', reason: 'no OffscreenCanvas in this browser' }
  const gl = new platform.OffscreenCanvas(1, 1).getContext('webgl2')
  if (!gl) return { renderer: '', reason: 'no WebGL 2 in this browser' }
  const unmasked = gl.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL
  const renderer = String(gl.getParameter(unmasked ?? gl.RENDERER))
  const reason = gl.getExtension('EXT_color_buffer_float') ? '' : noFloat32
  return { renderer, reason }
}

async function deviceWords(name: BackendName): Promise<string> {
  switch (name) {
    case 'webgpu': {
      const { adapter } = await webgpuAdapter()
      return adapter ? adapterWords(adapter) : 'unnamed adapter'
    }
    case 'webgl':
      return webglDevice().renderer || 'unnamed renderer'
    case 'wasm': {
      const { wasmThreads } = await import('./wasm-backend.ts')
      const simd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) ? 'SIMD' : 'no SIMD'
      return `${simd}, ${wasmThreads() > 1 ? `${wasmThreads()} threads` : 'one thread'}`
    }
    case 'cpu':
      return 'plain JavaScript, one thread'
  }
}

type LostListener = (name: BackendName) => void
const lostListeners = new Set<LostListener>()
const lostBackends = new Set<BackendName>()
const watched = new WeakSet<object>()

/**
 * Calls back when a GPU device goes away. Everything that lived on it is gone: start another backend and
 * build models and tensors again. Returns a function that stops listening.
 */
export function onDeviceLost(listener: LostListener): () => void {
  lostListeners.add(listener)
  return () => lostListeners.delete(listener)
}

interface GpuBackend {
  device?: { lost: Promise<unknown> }
  gpgpu?: { gl: { canvas: { addEventListener(type: string, listener: () => void): void } } }
}

function watchDevice(name: BackendName): void {
  const backend = tf.backend() as unknown as GpuBackend
  if (watched.has(backend)) return
  watched.add(backend)
  const lost = () => {
    lostBackends.add(name)
    for (const listener of lostListeners) listener(name)
  }
  void backend.device?.lost.then(lost)
  backend.gpgpu?.gl.canvas.addEventListener('webglcontextlost', lost)
}

/** Replaces a backend whose device was lost by a fresh one. */
function restart(name: BackendName): void {
  const factory = tf.findBackendFactory(name)
  try {
    tf.removeBackend(name)
  } catch {
    // A dead device may fail to free what it no longer has.
  }
  if (factory) tf.registerBackend(name, factory)
}
