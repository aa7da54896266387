import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface BundleSize {
  name: string
  /** Gzipped at the usual level. */
  bytes: number
  files: number
  note: string
}

/** What Vite's manifest says of one chunk; only what is read here. */
interface Chunk {
  file: string
  css?: string[]
  imports?: string[]
  dynamicImports?: string[]
  isEntry?: boolean
}

/**
 * What a visitor loads, JavaScript and CSS, gzipped: the shell (first page), a lab before its editor
 * (shell, player and the two workers with tfjs), and the editor. Fonts, data and the WASM binary are
 * apart. Read from the built files, so a size cannot be claimed that is not there.
 */
export function measureBundles(folder: string): BundleSize[] {
  const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<
    string,
    Chunk
  >
  const entries = Object.keys(manifest).filter((key) => manifest[key]!.isEntry)
  const shell = closure(manifest, entries)
  const player = lazily(manifest, /(^|\/)ui\/player\//)
  const editor = lazily(manifest, /(^|\/)ui\/editor\/|monaco/i)
  const scripts = assets(folder)
  const workers = scripts.filter((file) => /\/(engine|referee)[^/]*\.js$/.test(file))
  const editorWorkers = scripts.filter((file) => /\/(ts|editor)\.worker[^/]*\.js$/.test(file))
  const lab = new Set([
    ...shell,
    ...closure(manifest, player),
    ...workers.flatMap((file) => imported(folder, file)),
  ])
  const editorOnly = [...closure(manifest, editor), ...editorWorkers].filter((file) => !lab.has(file))
  return [
    size(folder, 'shell', shell, 'budget 150 kB'),
    size(folder, 'lab before the editor', lab, 'budget 700 kB; shell, player, tfjs in its workers'),
    size(folder, 'editor (Monaco)', editorOnly, 'loaded when the Code step opens'),
    {
      ...size(folder, 'fonts', fonts(folder), 'budget 250 kB; swapped in'),
      bytes: raw(folder, fonts(folder)),
    },
  ]
}

/** Files of these manifest keys and of everything that they import statically. */
function closure(
  manifest: Record<string, Chunk>,
  keys: Iterable<string>,
  found = new Set<string>(),
  visited = new Set<string>(),
) {
  for (const key of keys) {
    const chunk = manifest[key]
    if (!chunk || visited.has(key)) continue
    visited.add(key)
    found.add(chunk.file)
    for (const css of chunk.css ?? []) found.add(css)
    closure(manifest, chunk.imports ?? [], found, visited)
  }
  return found
}

/** Keys that are loaded on demand and whose name matches. */
function lazily(manifest: Record<string, Chunk>, name: RegExp): string[] {
  const onDemand = new Set(Object.values(manifest).flatMap((chunk) => chunk.dynamicImports ?? []))
  return [...onDemand].filter((key) => name.test(key))
}

/** A worker's file and what it imports, by reading its text: workers are not in the manifest. */
function imported(folder: string, file: string, found = new Set<string>()): string[] {
  if (found.has(file) || !existsSync(join(folder, file))) return [...found]
  found.add(file)
  const text = readFileSync(join(folder, file), 'utf8')
  for (const [, source] of text.matchAll(/(?:\bfrom|\bimport)\s*["'](\.[^"']+\.js)["']/g)) {
    imported(folder, relative(folder, join(folder, dirname(file), source!)), found)
  }
  return [...found]
}

function assets(folder: string): string[] {
  return readdirSync(join(folder, 'assets')).map((file) => `assets/${file}`)
}

function fonts(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.woff2'))
}

function raw(folder: string, files: Iterable<string>): number {
  return [...files].reduce((sum, file) => sum + readFileSync(join(folder, file)).byteLength, 0)
}

function size(folder: string, name: string, files: Iterable<string>, note: string): BundleSize {
  const list = [...files]
  const bytes = list.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).byteLength, 0)
  return { name, bytes, files: list.length, note }
}
