import { now } from '../../core/platform.ts'
import * as tf from '../../core/tf.ts'

export interface KernelTime {
  /** Its name, and the shape of its result where that is a batch of images. */
  kernel: string
  /** Calls in one step. */
  calls: number
  /** In the fastest round, without the kernels that it calls itself. */
  ms: number
}

interface StepProfile {
  /** The fastest whole step, measured without the probes. */
  ms: number
  kernels: KernelTime[]
}

/** The fastest round: on a shared machine every other one holds somebody else's work too. */
const fastest = (values: number[]) => Math.min(...values)

/** Runs the steps in turns, so that a busy minute falls on all of them; the kernels are left as they were. */
export async function profileKernels(
  steps: Record<string, () => Promise<void>>,
  rounds: number,
): Promise<Record<string, StepProfile>> {
  const names = Object.keys(steps)
  const whole: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (const name of names) for (let i = 0; i < 3; i++) await steps[name]!()
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const started = now()
      await steps[name]!()
      whole[name]!.push(now() - started)
    }
  }
  const probes = installProbes()
  try {
    const found: Record<string, StepProfile> = {}
    for (const name of names) {
      const seen: Map<string, { calls: number; ms: number }>[] = []
      for (let round = 0; round < rounds; round++) {
        probes.reset()
        await steps[name]!()
        seen.push(new Map(probes.times))
      }
      const kernels = [...new Set(seen.flatMap((times) => [...times.keys()]))].map((kernel) => ({
        kernel,
        calls: seen[0]!.get(kernel)?.calls ?? 0,
        ms: fastest(seen.map((times) => times.get(kernel)?.ms ?? 0)),
      }))
      found[name] = { ms: fastest(whole[name]!), kernels }
    }
    return found
  } finally {
    probes.remove()
  }
}

function installProbes() {
  const times = new Map<string, { calls: number; ms: number }>()
  /** Time spent in kernels called by the one that runs. */
  let inner = 0
  const originals = tf.getKernelsForBackend('wasm')
  for (const config of originals) {
    const { kernelName, kernelFunc } = config
    tf.unregisterKernel(kernelName, 'wasm')
    tf.registerKernel({
      ...config,
      kernelFunc: (params) => {
        const outer = inner
        inner = 0
        const started = now()
        const result = kernelFunc(params)
        const took = now() - started
        const name = titleOf(kernelName, result)
        const time = times.get(name) ?? { calls: 0, ms: 0 }
        times.set(name, { calls: time.calls + 1, ms: time.ms + took - inner })
        inner = outer + took
        return result
      },
    })
  }
  return {
    times,
    reset: () => times.clear(),
    remove() {
      for (const config of originals) {
        tf.unregisterKernel(config.kernelName, 'wasm')
        tf.registerKernel(config)
      }
    },
  }
}

function titleOf(kernelName: string, result: tf.TensorInfo | tf.TensorInfo[]): string {
  const { shape } = Array.isArray(result) ? result[0]! : result
  return shape.length === 4 ? `${kernelName} [${shape.join()}]` : kernelName
}
