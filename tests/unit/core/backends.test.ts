import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { chooseBackend, startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { startWasm } from '../../../src/core/wasm-backend.ts'

/** One class, whose gradient is all ones; counts what is made and freed. */
function probeModel() {
  const counts = { made: 0, disposed: 0, asked: 0 }
  const build = async () => {
    counts.made++
    return {
      inputShape: [2, 2, 1],
      numClasses: 1,
      bounds: [0, 1] as const,
      logits: async (x: tf.Tensor) => tf.sum(x, [1, 2]),
      async lossAndGradient(x: tf.Tensor) {
        counts.asked++
        return { loss: tf.zeros([x.shape[0]!]), gradient: tf.onesLike(x) }
      },
      vjp: async (x: tf.Tensor) => tf.onesLike(x),
      dispose: () => void counts.disposed++,
    }
  }
  return { counts, build }
}

const stubGpu = (adapter: unknown) =>
  vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } })

/** A WebGL 2 context with a renderer's name and, or not, float rendering. */
function stubWebgl(renderer: string, extensions: string[]): void {
  class Canvas {
    getContext() {
      return {
        RENDERER: 1,
        getExtension: (name: string) => (extensions.includes(name) ? {} : null),
        getParameter: () => renderer,
      }
    }
  }
  vi.stubGlobal('OffscreenCanvas', Canvas)
}

let before = 0
beforeEach(() => void (before = tf.engine().state.numTensors))
afterEach(() => {
  vi.unstubAllGlobals()
  expect(tf.engine().state.numTensors).toBe(before)
})

describe('startWasm', () => {
  it('says so when there is no WebAssembly, and when the binary is broken, and can be tried again', async () => {
    vi.stubGlobal('WebAssembly', undefined)
    await expect(startWasm(readStatic)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'WASM: this browser has no WebAssembly',
    })
    vi.unstubAllGlobals()
    const cutShort = async (path: string) => (await readStatic(path)).slice(0, 1000)
    await expect(startWasm(cutShort)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('wasm/tfjs-backend-wasm-simd.wasm (1000 bytes) does not compile'),
    })
    const fetchBefore = tf.env().platform.fetch
    await startWasm(readStatic)
    expect(tf.env().platform.fetch).toBe(fetchBefore)
    expect(tf.getBackend()).toBe('wasm')
    expect(tf.env().getBool('WASM_HAS_MULTITHREAD_SUPPORT')).toBe(false)
  })
})

describe('startBackend', () => {
  it('computes on WASM and on CPU', async () => {
    for (const name of ['cpu', 'wasm'] as const) {
      await startBackend(name, readStatic)
      expect(tf.getBackend()).toBe(name)
      const sum = tf.tidy(() => tf.sum(tf.tensor([1, 2, 3])))
      expect(Array.from(await sum.data())).toEqual([6])
      sum.dispose()
    }
  })

  it('says why WebGPU and WebGL are not there', async () => {
    vi.stubGlobal('navigator', {})
    await expect(startBackend('webgpu', readStatic)).rejects.toThrow('not in a secure context')
    stubGpu(null)
    await expect(startBackend('webgpu', readStatic)).rejects.toThrow('WebGPU: the browser found no adapter')
    await expect(startBackend('webgl', readStatic)).rejects.toThrow(
      'WebGL: no OffscreenCanvas in this browser',
    )
    stubWebgl('Mali-400', [])
    await expect(startBackend('webgl', readStatic)).rejects.toThrow('it cannot render 32-bit floats here')
  })
})

describe('chooseBackend', () => {
  it('takes WASM where nothing else is, names every candidate, and frees the probe', async () => {
    vi.stubGlobal('navigator', {})
    const { counts, build } = probeModel()
    const report = await chooseBackend({ preference: 'auto', probeModel: build, fetchBytes: readStatic })
    expect(report).toMatchObject({
      name: 'wasm',
      device: 'SIMD, one thread',
      why: expect.stringMatching(
        /^WebGPU: not in this browser.*; WebGL: no OffscreenCanvas in this browser$/,
      ),
      probes: [
        { name: 'webgpu', available: false },
        { name: 'webgl', available: false, reason: 'no OffscreenCanvas in this browser' },
        { name: 'wasm', available: true, ms: expect.any(Number) },
        { name: 'cpu', available: true, reason: expect.stringContaining('not measured') },
      ],
    })
    // Once to compile, two loops of three to measure.
    expect(counts).toEqual({ made: 1, disposed: 1, asked: 7 })
  })

  it('counts a software adapter and a software renderer as absent', async () => {
    for (const adapter of [
      { info: { vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: true } },
      { isFallbackAdapter: true, info: { vendor: 'x' } },
      { info: { vendor: 'google', architecture: 'swiftshader' } },
    ]) {
      stubGpu(adapter)
      stubWebgl('ANGLE (Google, Vulkan 1.3 (SwiftShader Device))', ['EXT_color_buffer_float'])
      const { name, probes } = await chooseBackend({ preference: 'auto', fetchBytes: readStatic })
      expect(name).toBe('wasm')
      expect(probes[0]!.reason).toContain('only a software adapter')
      expect(probes[1]!.reason).toContain('only a software renderer (ANGLE')
    }
  })

  it('takes the backend that was chosen', async () => {
    const report = await chooseBackend({ preference: 'cpu', fetchBytes: readStatic })
    expect(report).toMatchObject({
      name: 'cpu',
      device: 'plain JavaScript, one thread',
      why: 'chosen by you',
    })
    expect(tf.getBackend()).toBe('cpu')
  })

  it('falls back from a choice that does not exist, and says so', async () => {
    vi.stubGlobal('navigator', {})
    const { name, why } = await chooseBackend({ preference: 'webgl', fetchBytes: readStatic })
    expect(name).toBe('wasm')
    expect(why).toMatch(/^you chose WebGL, which does not work here \(no OffscreenCanvas in this browser\); /)
  })

  it('goes on to plain JavaScript when the WASM binary cannot be read, even with a probe that fails elsewhere', async () => {
    vi.stubGlobal('navigator', {})
    // A fresh copy of the modules: in this one WASM has already started.
    vi.resetModules()
    const fresh = await import('../../../src/core/backends.ts')
    const report = await fresh.chooseBackend({
      preference: 'auto',
      fetchBytes: () => Promise.reject(new Error('404')),
    })
    expect(report.name).toBe('cpu')
    expect(report.probes[2]).toEqual({ name: 'wasm', available: false, reason: '404' })
    expect(report.why).toContain('WASM: 404')
  })
})
