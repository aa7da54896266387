import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { read, repository } from './repository.ts'

const root = join(repository, 'static')
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(root.length + 1)
      .replaceAll('\\', '/'),
  )

interface Row {
  /** Paths below static/: `data/mnist10k/` covers a folder, `fonts/literata*` what begins so. */
  paths: string[]
  cells: string[]
}

describe('static/LICENSES.md', () => {
  const table = readTable(read('static/LICENSES.md'))

  it('covers every file in static/', () => {
    expect(files.length).toBeGreaterThan(10)
    expect(uncovered(files, table)).toEqual([])
  })

  it('covers nothing that is not there', () => {
    const idle = table
      .flatMap(({ paths }) => paths)
      .filter((path) => !files.some((file) => covers(path, file)))
    expect(idle).toEqual([])
  })

  it('names a source and a licence in every row', () => {
    expect(table.filter(({ cells }) => cells.length < 3 || cells.some((cell) => cell.trim() === ''))).toEqual(
      [],
    )
  })

  it('would find a file that no row covers', () => {
    expect(uncovered(['fonts/new.woff2', 'data/a/x.png'], readTable('| `data/a/` | us | MIT |'))).toEqual([
      'fonts/new.woff2',
    ])
  })
})

describe('checksums', () => {
  const sums = files.filter((file) => posix.basename(file) === 'SHA256SUMS')

  it('hold for every file that they list', () => {
    expect(sums.length).toBeGreaterThan(0)
    const wrong = sums.flatMap((sheet) =>
      listed(sheet)
        .filter(({ file, sum }) => sha256(file) !== sum)
        .map(({ file }) => file),
    )
    expect(wrong).toEqual([])
  })

  it('list every file beside them, and every data set and model has them', () => {
    const summed = new Set(sums.flatMap((sheet) => listed(sheet).map(({ file }) => file)))
    const unlisted = files.filter(
      (file) => /^(data|models)\//.test(file) && posix.basename(file) !== 'SHA256SUMS' && !summed.has(file),
    )
    expect(unlisted).toEqual([])
  })

  it('come with a card', () => {
    const without = sums
      .map((sheet) => posix.join(posix.dirname(sheet), 'card.md'))
      .filter((card) => !files.includes(card))
    expect(without).toEqual([])
  })
})

describe('fonts', () => {
  it('each come with the text of the Open Font License', () => {
    const licences = files.filter((file) => /^fonts\/OFL-.+\.txt$/.test(file))
    for (const licence of licences)
      expect(readFileSync(join(root, licence), 'utf8')).toContain('SIL OPEN FONT LICENSE')
    const families = licences.map((file) => /OFL-(.+)\.txt$/.exec(file)![1]!)
    const fonts = files.filter((file) => /\.(woff2?|ttf|otf)$/.test(file))
    expect(fonts.length).toBeGreaterThan(0)
    expect(
      fonts.filter((font) => !families.some((family) => posix.basename(font).startsWith(family))),
    ).toEqual([])
  })
})

describe('LICENSE', () => {
  it('is the MIT licence, as package.json says', () => {
    expect(read('LICENSE')).toMatch(/^MIT License\n[\s\S]+The Perturb authors/)
    expect(JSON.parse(read('package.json'))).toMatchObject({ license: 'MIT', private: true })
  })
})

function readTable(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => /^\|/.test(line))
    .map((line) => line.split('|').slice(1, -1))
    .map(([first = '', ...cells]) => ({
      paths: [...first.matchAll(/`([^`]+)`/g)].map(([, path]) => path!),
      cells: [first, ...cells],
    }))
    .filter(({ paths }) => paths.length > 0)
}

function covers(path: string, file: string): boolean {
  if (path.endsWith('/')) return file.startsWith(path)
  const pattern = path
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*')
  return new RegExp(`^${pattern}$`).test(file)
}

function uncovered(names: string[], table: Row[]): string[] {
  return names.filter(
    (file) => file !== 'LICENSES.md' && !table.some(({ paths }) => paths.some((path) => covers(path, file))),
  )
}

function listed(sheet: string): { file: string; sum: string }[] {
  return readFileSync(join(root, sheet), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const match = /^([0-9a-f]{64})\s+\*?(.+)$/.exec(line.trim())
      if (!match) throw new Error(`static/${sheet}: not a checksum line: ${line}`)
      return { sum: match[1]!, file: posix.join(posix.dirname(sheet), match[2]!) }
    })
}

function sha256(file: string): string | undefined {
  return files.includes(file)
    ? createHash('sha256')
        .update(readFileSync(join(root, file)))
        .digest('hex')
    : undefined
}
