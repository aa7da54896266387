import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../../src/cli/node-platform.ts'
import type { SourceFile } from './layers.ts'

export { repository }

const ignored = new Set(['node_modules', 'dist', '.git', 'test-results', 'playwright-report'])

/** Every file that belongs to the repository (tracked, or new and not ignored), with slashes. */
export function listFiles(): string[] {
  return (fromGit() ?? walk('')).filter((file) => existsSync(join(repository, file)))
}

function fromGit(): string[] | undefined {
  try {
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
      cwd: repository,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return [...new Set(listed.split('\0'))].filter((file) => file !== '')
  } catch {
    // An unpacked archive without git.
    return undefined
  }
}

function walk(folder: string): string[] {
  return readdirSync(join(repository, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name
    if (entry.isDirectory()) return ignored.has(entry.name) ? [] : walk(path)
    return entry.name.endsWith('.log') ? [] : [path]
  })
}

export function read(path: string): string {
  return readFileSync(join(repository, path), 'utf8')
}

/** Files below the folders whose path matches. */
export function readSources(folders: string[], matching: RegExp): SourceFile[] {
  return listFiles()
    .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)) && matching.test(path))
    .map((path) => ({ path, text: read(path) }))
}
