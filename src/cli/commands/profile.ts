import { readStatic } from '../node-platform.ts'
import { startBackend } from '../../core/backends.ts'
import { createRng } from '../../core/rng.ts'
import { now } from '../../core/platform.ts'
import * as tf from '../../core/tf.ts'
import { recipe, recipes } from '../../models/architectures.ts'
import type { Architecture } from '../../models/model.ts'
import { createModel } from '../../models/network.ts'
import { createTrainer } from '../../models/trainer.ts'
import { initialWeights } from '../../models/weights.ts'
import { multiplications } from '../profile/arithmetic.ts'
import { profileKernels, type KernelTime } from '../profile/kernels.ts'
import type { Command } from '../command.ts'
import { readOptions } from '../options.ts'

export const command: Command = {
  summary: 'Show which WASM kernels a training step and an attack step spend their time in',
  help: `
npm run profile [MODEL] [-- --batch N --rounds N --growth --json]

Times every kernel of one training step and one attack step (sign of the input gradient) on WASM in this
Node process, without the kernels that it calls itself, and sets the whole beside the limit: the
multiplications counted, at the rate of a 512×512 matrix product of the same minute.

  MODEL       ${Object.keys(recipes).join(', ')} (digits-cnn)
  --batch N   images in a batch (64)
  --rounds N  steps of each, of which the fastest counts (40)
  --growth    instead, both steps on 16 to 512 images: cost should grow as a line
  --json      the tables as JSON
  --help      this text`,
  async run(argv) {
    const options = readOptions(
      argv,
      {
        batch: { type: 'string' },
        rounds: { type: 'string' },
        growth: { type: 'boolean' },
        json: { type: 'boolean' },
      },
      { words: true },
    )
    const batch = wholeNumber('--batch', options.batch ?? '64')
    const rounds = wholeNumber('--rounds', options.rounds ?? '40')
    const { architecture } = recipe(options.rest[0] ?? 'digits-cnn')

    await startBackend('wasm', readStatic)
    if (options.growth) {
      const points = await growth(architecture, rounds)
      if (options.json) console.log(JSON.stringify({ model: architecture.name, points }, null, 2))
      else printGrowth(points)
      return 0
    }
    const steps = stepsOf(architecture, batch)
    const square = tf.randomNormal([512, 512], 0, 1, 'float32', 1) as tf.Tensor2D
    const product = async () => {
      const result = tf.matMul(square, square)
      await result.data()
      result.dispose()
    }

    const { forward, byInput, byWeights } = multiplications(architecture)
    const millions = {
      train: (batch * (forward + byInput.slice(1).reduce((a, b) => a + b, 0) + byWeights)) / 1e6,
      attack: (batch * (forward + byInput.reduce((a, b) => a + b, 0))) / 1e6,
    }
    const found = await profileKernels({ train: steps.train, attack: steps.attack, product }, rounds)
    const rate = 512 ** 3 / 1e6 / found.product!.ms
    const report = (['train', 'attack'] as const).map((name) => ({
      step: name,
      batch,
      ms: found[name]!.ms,
      millionMultiplications: millions[name],
      limitMs: millions[name] / rate,
      kernels: found[name]!.kernels,
    }))
    square.dispose()
    steps.dispose()
    if (options.json) {
      console.log(
        JSON.stringify({ model: architecture.name, millionProductsPerMs: rate, steps: report }, null, 2),
      )
      return 0
    }
    console.log(
      `${architecture.name}, batches of ${batch}; a 512×512 product: ${found.product!.ms.toFixed(1)} ms, ${(2 * rate).toFixed(1)} Gflop/s`,
    )
    for (const { step, ms, millionMultiplications, limitMs, kernels } of report) {
      console.log(
        `\n${step} step: ${ms.toFixed(2)} ms; ${millionMultiplications.toFixed(0)} million products, ${limitMs.toFixed(2)} ms at that rate`,
      )
      printTable(kernels, ms)
    }
    return 0
  },
}

/** One training step and one attack step on `batch` images, each awaited to its numbers. */
function stepsOf(architecture: Architecture, batch: number) {
  const weights = initialWeights(architecture, 1)
  const trainer = createTrainer(architecture, weights)
  const model = createModel(architecture, weights)
  const rng = createRng(1, 'profile')
  const size = architecture.inputShape.reduce((a, b) => a * b, 1)
  const x = tf.tensor(
    Float32Array.from({ length: batch * size }, () => Math.max(0, 2 * rng.uniform() - 1)),
    [batch, ...architecture.inputShape],
  )
  const y = Int32Array.from({ length: batch }, (_, i) => i % architecture.numClasses)
  return {
    async train() {
      const loss = trainer.step(x, y, 1e-3)
      await loss.data()
      loss.dispose()
    },
    async attack() {
      const { loss, gradient } = await model.lossAndGradient(x, y)
      const step = tf.tidy(() =>
        tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), 0.01)), ...architecture.bounds),
      )
      await step.data()
      tf.dispose([loss, gradient, step])
    },
    dispose() {
      x.dispose()
      trainer.dispose()
      model.dispose()
    },
  }
}

interface GrowthPoint {
  images: number
  trainMs: number
  attackMs: number
}

/** The fastest of the rounds for each number of images, in turns. */
async function growth(architecture: Architecture, rounds: number): Promise<GrowthPoint[]> {
  const sizes = [16, 32, 64, 128, 256, 512]
  const points = sizes.map((images) => ({ images, trainMs: Infinity, attackMs: Infinity }))
  const steps = sizes.map((images) => stepsOf(architecture, images))
  for (let round = 0; round < rounds + 2; round++) {
    for (const [i, { train, attack }] of steps.entries()) {
      const point = points[i]!
      const started = now()
      await train()
      const between = now()
      await attack()
      // The first two rounds only warm the engine up.
      if (round < 2) continue
      point.trainMs = Math.min(point.trainMs, between - started)
      point.attackMs = Math.min(point.attackMs, now() - between)
    }
  }
  for (const { dispose } of steps) dispose()
  return points
}

function printGrowth(points: GrowthPoint[]): void {
  const longest = Math.max(...points.map(({ trainMs, attackMs }) => Math.max(trainMs, attackMs)))
  const bar = (ms: number) => '█'.repeat(Math.max(1, Math.round((40 * ms) / longest)))
  for (const [title, read] of [
    ['training step', (point: GrowthPoint) => point.trainMs],
    ['attack step', (point: GrowthPoint) => point.attackMs],
  ] as const) {
    console.log(`\n${title}`)
    for (const point of points) {
      const ms = read(point)
      const each = ((1000 * ms) / point.images).toFixed(0)
      console.log(
        `  ${String(point.images).padStart(4)} images ${ms.toFixed(2).padStart(7)} ms ${each.padStart(5)} µs an image  ${bar(ms)}`,
      )
    }
  }
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`${option} must be a whole number from 1; got "${text}"`)
  return number
}

function printTable(kernels: KernelTime[], whole: number): void {
  const inside = kernels.reduce((sum, { ms }) => sum + ms, 0)
  const rows = [...kernels, { kernel: '(between kernels)', calls: 0, ms: Math.max(0, whole - inside) }]
  for (const { kernel, calls, ms } of rows.sort((a, b) => b.ms - a.ms)) {
    if (ms < 0.005) continue
    const share = ((100 * ms) / whole).toFixed(0)
    console.log(
      `  ${kernel.padEnd(36)}${String(calls || '').padStart(4)}  ${ms.toFixed(2).padStart(7)} ms ${share.padStart(4)} %`,
    )
  }
}
