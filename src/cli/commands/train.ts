import { readStatic, repository } from '../node-platform.ts'
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { startBackend } from '../../core/backends.ts'
import { loadDataSet } from '../../data/load.ts'
import { recipe, recipes, type Recipe } from '../../models/architectures.ts'
import { createModel } from '../../models/network.ts'
import { recallByClass } from '../../models/accuracy.ts'
import { train } from '../../models/train.ts'
import { countParameters, initialWeights, serializeWeights } from '../../models/weights.ts'
import type { Command } from '../command.ts'
import { readOptions } from '../options.ts'

export const command: Command = {
  summary: 'Train a shipped model with the code that also trains in the browser',
  help: `
npm run train NAME [-- --seed N --epochs N --out DIR --json]

Trains on WASM and writes model.json, weights.bin, card.md and SHA256SUMS. The same seed gives the same
bytes on the same machine. Models: ${Object.keys(recipes).join(', ')}.

  --seed N     initial weights and order of the batches (the shipped model's by default)
  --epochs N   passes over the training images (the recipe's by default)
  --out DIR    where to write (static/models/NAME by default)
  --json       the result as JSON, no progress
  --help       this text`,
  async run(argv) {
    const options = readOptions(
      argv,
      {
        seed: { type: 'string' },
        epochs: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'boolean' },
      },
      { words: true },
    )
    const [name, ...more] = options.rest
    if (!name || more.length > 0) throw new Error(`which model? One of ${Object.keys(recipes).join(', ')}`)
    const chosen = recipe(name)
    const seed = readNumber('--seed', options.seed, chosen.seed, { whole: true, from: 0 })
    const epochs = readNumber('--epochs', options.epochs, chosen.epochs, { whole: false, from: 0.01 })
    const out = options.out ?? join(repository, 'static/models', name)

    const started = Date.now()
    await startBackend('wasm', readStatic)
    const data = await loadDataSet(chosen.dataset, readStatic)
    const { architecture, batchSize, learningRate } = chosen
    const { weights } = await train(
      {
        architecture,
        weights: initialWeights(architecture, seed),
        data: data.train,
        epochs,
        batchSize,
        learningRate,
      },
      { seed, onStep: options.json ? undefined : showProgress },
    )
    const model = createModel(architecture, weights)
    const recall = await recallByClass(model, data.test)
    model.dispose()
    const right = recall.reduce((sum, { right }) => sum + right, 0)
    const result = {
      model: name,
      seed,
      epochs,
      parameters: countParameters(architecture),
      testAccuracy: right / data.test.count,
      seconds: (Date.now() - started) / 1000,
      out: relative(process.cwd(), out) || '.',
    }

    const files: Record<string, string | Uint8Array> = {
      'model.json': `${JSON.stringify(architecture, null, 2)}\n`,
      'weights.bin': serializeWeights(architecture, weights),
      'card.md': card(chosen, result, recall),
    }
    await mkdir(out, { recursive: true })
    for (const [file, content] of Object.entries(files)) await writeFile(join(out, file), content)
    const sums = Object.entries(files).map(
      ([file, content]) => `${createHash('sha256').update(content).digest('hex')}  ${file}\n`,
    )
    await writeFile(join(out, 'SHA256SUMS'), sums.join(''))

    if (options.json) console.log(JSON.stringify(result, null, 2))
    else {
      console.log(
        `${name}: ${(100 * result.testAccuracy).toFixed(2)} % of ${data.test.count} test images right, ` +
          `${result.parameters} parameters, seed ${seed}, ${result.seconds.toFixed(1)} s; written to ${result.out}`,
      )
    }
    return 0
  },
}

function readNumber(
  option: string,
  text: string | undefined,
  otherwise: number,
  { whole, from }: { whole: boolean; from: number },
): number {
  if (text === undefined) return otherwise
  const number = Number(text)
  if (
    text.trim() === '' ||
    !Number.isFinite(number) ||
    number < from ||
    (whole && !Number.isInteger(number))
  ) {
    throw new Error(`${option} must be a ${whole ? 'whole ' : ''}number of at least ${from}; got "${text}"`)
  }
  return number
}

function showProgress(done: number, total: number, values?: Record<string, number>): void {
  if (!values) return
  const line = `step ${done} of ${total}, loss ${values.loss!.toFixed(4)}`
  if (process.stdout.isTTY) process.stdout.write(`\r${line}${done === total ? '\n' : ''}`)
  else if (done % 250 === 0 || done === total) console.log(line)
}

interface Figures {
  seed: number
  epochs: number
  parameters: number
  testAccuracy: number
}

function card(
  { architecture, summary, knownProblems, dataset, batchSize, learningRate }: Recipe,
  { seed, epochs, parameters, testAccuracy }: Figures,
  recall: { name: string; right: number; count: number }[],
): string {
  const layers = architecture.layers.map((layer) => {
    if (layer.type === 'conv2d') {
      return `convolution ${layer.kernelSize}×${layer.kernelSize}×${layer.filters}${layer.activation ? ', relu' : ''}`
    }
    if (layer.type === 'dense') return `dense ${layer.units}${layer.activation ? ', relu' : ''}`
    return layer.type === 'maxPool' ? `max pool ${layer.size}` : 'flatten'
  })
  return `# ${architecture.name}

**What.** ${summary}: ${parameters.toLocaleString('en')} parameters.

**Layers.** ${layers.join('; ')}. Input [${architecture.inputShape}] in [${architecture.bounds}]; the scores are before softmax.

**Training.** \`npm run train ${architecture.name} -- --seed ${seed} --epochs ${epochs}\`: training split of data/${dataset}, Adam, one-cycle rate up to ${learningRate}, batches of ${batchSize}, WASM.

**Measured.** ${(100 * testAccuracy).toFixed(2)} % of the test split. By class: ${recall.map(({ name, right, count }) => `${name}: ${((100 * right) / count).toFixed(1)} %`).join(', ')}.

**Licence.** Weights under MIT, as the code. The training images have their own licence: see data/${dataset}/card.md.

**Known problems.** ${knownProblems}
`
}
