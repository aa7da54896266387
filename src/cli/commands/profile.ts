import { readStatic } from '../node-platform.ts'
import { startBackend } from '../../core/backends.ts'
import { createRng } from '../../core/rng.ts'
import * as tf from '../../core/tf.ts'
import { recipe, recipes } from '../../models/architectures.ts'
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
npm run profile [MODEL] [-- --batch N --rounds N --json]

Times every kernel of one training step and one attack step (sign of the input gradient) on WASM in this
Node process, without the kernels that it calls itself, and sets the whole beside the limit: the
multiplications counted, at the rate of a 512×512 matrix product of the same minute.

  MODEL       ${Object.keys(recipes).join(', ')} (digits-cnn)
  --batch N   images in a batch (64)
  --rounds N  steps of each, of which the fastest counts (40)
  --json      the tables as JSON
  --help      this text`,
  async run(argv) {
    const options = readOptions(argv, {
      batch: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'boolean' },
    })
    const batch = wholeNumber('--batch', options.batch ?? '64')
    const rounds = wholeNumber('--rounds', options.rounds ?? '40')
    const { architecture } = recipe(options.rest[0] ?? 'digits-cnn')

    await startBackend('wasm', readStatic)
    const weights = initialWeights(architecture, 1)
    const trainer = createTrainer(architecture, weights)
    const model = createModel(architecture, weights)
    const rng = createRng(1, 'profile')
    const x = tf.tensor(
      Float32Array.from({ length: batch * architecture.inputShape.reduce((a, b) => a * b, 1) }, () =>
        Math.max(0, 2 * rng.uniform() - 1),
      ),
      [batch, ...architecture.inputShape],
    )
    const y = Int32Array.from({ length: batch }, (_, i) => i % architecture.numClasses)
    const trainStep = async () => {
      const loss = trainer.step(x, y, 1e-3)
      await loss.data()
      loss.dispose()
    }
    const attackStep = async () => {
      const { loss, gradient } = await model.lossAndGradient(x, y)
      const step = tf.tidy(() =>
        tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), 0.01)), ...architecture.bounds),
      )
      await step.data()
      tf.dispose([loss, gradient, step])
    }
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
    const steps = await profileKernels({ train: trainStep, attack: attackStep, product }, rounds)
    const rate = 512 ** 3 / 1e6 / steps.product!.ms
    const report = (['train', 'attack'] as const).map((name) => ({
      step: name,
      batch,
      ms: steps[name]!.ms,
      millionMultiplications: millions[name],
      limitMs: millions[name] / rate,
      kernels: steps[name]!.kernels,
    }))
    tf.dispose([x, square])
    trainer.dispose()
    model.dispose()
    if (options.json) {
      console.log(
        JSON.stringify({ model: architecture.name, millionProductsPerMs: rate, steps: report }, null, 2),
      )
      return 0
    }
    console.log(
      `${architecture.name}, batches of ${batch}; a 512×512 product: ${steps.product!.ms.toFixed(1)} ms, ${(2 * rate).toFixed(1)} Gflop/s`,
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
