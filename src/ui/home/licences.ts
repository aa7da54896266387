export interface LicenceTable {
  head: string[]
  body: string[][]
}

/** The first table of LICENSES.md, as text: marks of code and links are taken off. */
export function parseLicences(markdown: string): LicenceTable {
  const lines = markdown.split('\n')
  const start = lines.findIndex(
    (line, i) => line.startsWith('|') && /^\|[\s|:-]+\|\s*$/.test(lines[i + 1] ?? ''),
  )
  if (start < 0) throw new Error('LICENSES.md: expected a table; got none')
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'))
  const rows = lines.slice(start, end < 0 ? undefined : end).map(cells)
  return { head: rows[0] ?? [], body: rows.slice(2) }
}

const cells = (line: string) =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) =>
      cell
        .trim()
        .replaceAll('`', '')
        .replace(/\[([^\]]*)\]\(([^)]*)\)/g, '$1 ($2)'),
    )
