import { createHash } from 'node:crypto'
import type { SimulatedSet } from './simulated.ts'
import { tableFiles, type SimulatedTable } from './table.ts'

/** For the card: what it is, how it came about, and what must not be concluded from it. */
export interface CardWords {
  what: string
  processing: string
  knownProblems: string
}

/** Every file of the set: those that were simulated, those that were `kept`, and SHA256SUMS over both. */
export function setFiles(
  { files }: SimulatedSet,
  kept: Readonly<Record<string, Uint8Array>> = {},
): Record<string, Uint8Array> {
  const all = { ...files, ...kept }
  const sums = Object.entries(all).map(
    ([file, content]) => `${createHash('sha256').update(content).digest('hex')}  ${file}\n`,
  )
  return { ...all, SHA256SUMS: Buffer.from(sums.join('')) }
}

/** A table as rows in sprites, with its card. */
export function tableSet(name: string, seed: number, table: SimulatedTable, card: CardWords): SimulatedSet {
  const { train, test } = counts(table)
  return {
    files: { ...tableFiles(name, table), 'card.md': Buffer.from(cardText(name, card, seed, table)) },
    summary: `${train.rows} rows to train on and ${test.rows} to test`,
    figures: { train, test },
  }
}

/** Rows of each split, and of each class in it. */
function counts({ rows, classes }: SimulatedTable) {
  const of = (split: 'train' | 'test') => {
    const chosen = rows.filter((row) => row.split === split)
    const byClass = classes.map((name, label) => [name, chosen.filter((row) => row.label === label).length])
    return { rows: chosen.length, ...(Object.fromEntries(byClass) as Record<string, number>) }
  }
  return { train: of('train'), test: of('test') }
}

function cardText(name: string, card: CardWords, seed: number, table: SimulatedTable): string {
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
