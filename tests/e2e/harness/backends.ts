/** The app's own backends, models and workshop on a bare page, for tests that compare and destroy backends. */
import { pgd } from '../../../src/attacks/evasion/pgd.ts'
import { startBackend, type BackendName } from '../../../src/core/backends.ts'
import { beginThreads, wasmThreads } from '../../../src/core/wasm-backend.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import { recipe } from '../../../src/models/architectures.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { createTrainer } from '../../../src/models/trainer.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import type { GpuTraffic } from '../../../src/cli/bench/page.ts'
import { Pack } from '../../../src/cli/vectors/pack.ts'
import { verifyFile, type FileReport } from '../../../src/cli/vectors/verify.ts'
import { countTraffic } from '../../bench/gpu-traffic.ts'
import { compareGpuKernels } from './gpu-kernels.ts'

const rows = 4
const architecture: Architecture = {
  name: 'tiny',
  inputShape: [8, 8, 1],
  numClasses: 3,
  bounds: [0, 1],
  classes: ['a', 'b', 'c'],
  layers: [
    { type: 'conv2d', filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' },
    { type: 'maxPool', size: 2 },
    { type: 'conv2d', filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' },
    { type: 'maxPool', size: 2 },
    { type: 'flatten' },
    { type: 'dense', units: 3 },
  ],
}
const labels = Int32Array.from({ length: rows }, (_, i) => i % 3)

/** Like digits: a shape of noise on an even background, where all of a pooling window is equal. */
function images(): tf.Tensor {
  const rng = createRng(7, 'images')
  const pixels = Float32Array.from({ length: rows * 64 }, (_, i) => {
    const [row, column] = [Math.floor(i / 8) % 8, i % 8]
    const value = rng.uniform()
    return row >= 2 && row < 6 && column >= 2 && column < 6 ? value : 0
  })
  return tf.tensor(pixels, [rows, 8, 8, 1])
}

export interface Computed {
  threads: number
  logits: number[]
  loss: number[]
  gradient: number[]
  trainedLoss: number
  trained: number[]
}

const base = new URL('.', document.baseURI)
async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, base))
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** Scores, input gradients, and the weights after one training step. */
async function compute(backend: BackendName, threads = false): Promise<Computed> {
  await startBackend(backend, fetchBytes, { threadsFrom: threads ? base.href : undefined })
  if (threads) beginThreads()
  const weights = initialWeights(architecture, 3)
  const model = createModel(architecture, weights)
  const trainer = createTrainer(architecture, weights)
  const x = images()
  const logits = await model.logits(x)
  const { loss, gradient } = await model.lossAndGradient(x, labels)
  const trainedLoss = trainer.step(x, labels, 0.01)
  const numbers = async (tensor: tf.Tensor) => Array.from(await tensor.data())
  const computed = {
    threads: wasmThreads(),
    logits: await numbers(logits),
    loss: await numbers(loss),
    gradient: await numbers(gradient),
    trainedLoss: (await numbers(trainedLoss))[0]!,
    trained: (await trainer.weights()).flatMap(({ values }) => Array.from(values)),
  }
  tf.dispose([x, logits, loss, gradient, trainedLoss])
  model.dispose()
  trainer.dispose()
  return computed
}

export interface Survived {
  /** Backend of each attempt, in order. */
  attempts: string[]
  /** What the workshop told the page. */
  news: { event: string; name: string; why: string }[]
  losses: number[]
}

/** Trains on a backend, destroys its device after the second of four steps, and tells how it went on. */
async function trainThroughLoss(backend: BackendName): Promise<Survived> {
  const news: Survived['news'] = []
  const workshop = createWorkshop({
    role: 'engine',
    fetchBytes,
    emit: (event, value) => {
      const { name, why } = value as { name: string; why: string }
      news.push({ event, name, why })
    },
  })
  await workshop.start(backend)
  const attempts: string[] = []
  const losses = await workshop.attempt(async () => {
    attempts.push(tf.getBackend())
    const trainer = createTrainer(architecture, initialWeights(architecture, 3))
    const x = images()
    const seen: number[] = []
    for (let step = 0; step < 4; step++) {
      if (step === 2 && attempts.length === 1) {
        const { device, gpgpu } = tf.backend() as unknown as {
          device?: { destroy(): void }
          gpgpu?: { gl: WebGL2RenderingContext }
        }
        device?.destroy()
        gpgpu?.gl.getExtension('WEBGL_lose_context')?.loseContext()
      }
      const loss = trainer.step(x, labels, 0.01)
      seen.push((await loss.data())[0]!)
      loss.dispose()
    }
    x.dispose()
    trainer.dispose()
    return seen
  })
  return { attempts, news, losses }
}

/** Traffic of one training step and of one step of PGD, in the middle of a loop of digits-cnn. */
async function gpuTraffic(): Promise<{ train: GpuTraffic; attack: GpuTraffic }> {
  await startBackend('webgpu', fetchBytes)
  const { architecture: digits } = recipe('digits-cnn')
  const weights = initialWeights(digits, 1)
  const model = createModel(digits, weights)
  const trainer = createTrainer(digits, weights)
  const x = tf.fill([2, 28, 28, 1], 0.5)
  const y = Int32Array.of(1, 2)
  const train = async (steps: number) => {
    const losses = []
    for (let step = 0; step < steps; step++) losses.push(trainer.step(x, y, 0.001))
    await losses.at(-1)!.data()
    tf.dispose(losses)
  }
  const attack = async (steps: number) => {
    const criterion = { kind: 'misclassification' as const, labels: y }
    const { adversarial } = await pgd(model, x, criterion, { steps, stepSize: 0.01 }, { seed: 1 })
    await adversarial.data()
    adversarial.dispose()
  }
  await train(2)
  await attack(2)
  const traffic = countTraffic(tf.backend())
  /** Ten more steps, without what a loop costs once. */
  const perStep = async (loop: (steps: number) => Promise<void>) => {
    const counted = []
    for (const steps of [2, 12]) {
      traffic()
      await loop(steps)
      counted.push(traffic())
    }
    const [short, long] = counted as [GpuTraffic, GpuTraffic]
    return Object.fromEntries(
      Object.entries(long).map(([name, count]) => [name, (count - short[name as keyof GpuTraffic]) / 10]),
    ) as unknown as GpuTraffic
  }
  const counts = { train: await perStep(train), attack: await perStep(attack) }
  x.dispose()
  model.dispose()
  trainer.dispose()
  return counts
}

const references = import.meta.glob<string>('../../reference/data/*.json', {
  query: '?raw',
  import: 'default',
})

/** Reference vectors on a backend of this browser. */
async function verify(backend: BackendName, files: readonly string[]): Promise<FileReport[]> {
  await startBackend(backend, fetchBytes)
  const pack = new Pack('tests/reference/data', [...files], (name) => {
    const read = references[`../../reference/data/${name}`]
    return read ? read() : Promise.reject(new Error(name))
  })
  const reports = []
  for (const name of files)
    reports.push(
      await verifyFile(name, pack, ({ name: check, ok }, done) =>
        console.log(`${backend}, ${name}: ${done} compared; ${check}: ${ok ? 'ok' : 'wrong'}`),
      ),
    )
  pack.dispose()
  return reports
}

const gpuKernels = (cases: number, seed: number) => compareGpuKernels(cases, seed, fetchBytes)

const harness = { compute, trainThroughLoss, gpuTraffic, gpuKernels, verify }
export type BackendsHarness = typeof harness
Object.assign(window, { harness })
