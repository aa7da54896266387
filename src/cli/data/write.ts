import { createHash } from 'node:crypto'
import type { Generator } from './generators.ts'
import { tableFiles, type SimulatedTable } from './table.ts'

/** Every file of the set, SHA256SUMS included. */
export function dataFiles(
  name: string,
  { card }: Generator,
  seed: number,
  table: SimulatedTable,
): Record<string, Uint8Array> {
  const data = tableFiles(name, table)
  const files = { ...data, 'card.md': Buffer.from(cardText(name, card, seed, table)) }
  const sums = Object.entries(files).map(
    ([file, content]) => `${createHash('sha256').update(content).digest('hex')}  ${file}\n`,
  )
  return { ...files, SHA256SUMS: Buffer.from(sums.join('')) }
}

/** Rows of each split, and of each class in it. */
export function counts({ rows, classes }: SimulatedTable) {
  const of = (split: 'train' | 'test') => {
    const chosen = rows.filter((row) => row.split === split)
    const byClass = classes.map((name, label) => [name, chosen.filter((row) => row.label === label).length])
    return { rows: chosen.length, ...(Object.fromEntries(byClass) as Record<string, number>) }
  }
  return { train: of('train'), test: of('test') }
}

function cardText(name: string, card: Generator['card'], seed: number, table: SimulatedTable): string {
  const { train, test } = counts(table)
  const share = ({ rows, ...byClass }: typeof train) =>
    Object.entries(byClass as Record<string, number>)
      .map(([label, n]) => `${n.toLocaleString('en')} ${label} (${((100 * n) / rows).toFixed(1)} %)`)
      .join(', ')
  return `# ${name}, simulated

**What.** ${card.what}

**Rows.** To train on ${train.rows.toLocaleString('en')}: ${share(train)}. To test ${test.rows.toLocaleString('en')}: ${share(test)}.

**Source.** Simulated by \`npm run data ${name}\`, a program of the Perturb authors (src/cli/data/), seed ${seed}. The same seed gives the same bytes on the Node that the project names.

**Licence.** MIT, as the code: own work.

**Processing and split.** ${card.processing}

**Features.** ${table.features.map(({ title, unit, scale, low, high }) => `${title}${unit ? ` (${unit})` : ''}: ${scale === 'flag' ? 'yes or no' : `${low} to ${high}${scale === 'log1p' ? ', as ln(1 + x)' : ''}`}`).join('; ')}.

**Known problems and biases.** ${card.knownProblems}
`
}
