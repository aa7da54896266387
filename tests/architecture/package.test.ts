import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listFiles, read, repository } from './repository.ts'

interface Lock {
  packages: Record<string, { resolved?: string; hasInstallScript?: boolean; optional?: boolean }>
}

const isText = /\.(ts|mjs|js|json|md|svelte|css|html|yml|yaml|txt|svg)$|^\.[\w/]+$|^LICENSE$/

describe('package.json and its lock', () => {
  const lock = JSON.parse(read('package-lock.json')) as Lock

  it('name no registry: each machine installs from its own', () => {
    const hosts = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)
    expect(hosts.map(([name]) => name)).toEqual([])
  })

  it('hold the native parts of Vite for every usual system', () => {
    const bindings = Object.keys(lock.packages).filter((name) => name.includes('@rolldown/binding-'))
    for (const system of [
      'linux-x64-gnu',
      'linux-arm64-gnu',
      'linux-x64-musl',
      'darwin-arm64',
      'darwin-x64',
      'win32-x64-msvc',
    ]) {
      expect(
        bindings.some((name) => name.endsWith(system)),
        system,
      ).toBe(true)
    }
  })

  it('install without running scripts of other people', () => {
    const scripted = Object.entries(lock.packages).filter(
      ([, { hasInstallScript, optional }]) => hasInstallScript && !optional,
    )
    expect(scripted.map(([name]) => name)).toEqual([])
  })
})

describe('tracked files', () => {
  it('name no path of one machine', () => {
    const home = homedir()
    const suspects = [
      ...(home.length > 5 ? [home] : []),
      ...(repository.length > 5 ? [repository] : []),
      ['', 'work', 'shared'].join('/'),
      ['..', 'shared', ''].join('/'),
      ['', 'Users', ''].join('/'),
      ['C:', 'Users'].join('\\'),
    ]
    const found = listFiles()
      .filter((file) => isText.test(file))
      .flatMap((file) =>
        suspects.filter((path) => mentions(read(file), path)).map((path) => `${file}: ${path}`),
      )
    expect(found).toEqual([])
  })

  it('would find such a path', () => {
    expect(mentions('see /home/ada/perturb/x', '/home/ada')).toBe(true)
    expect(mentions("from '../../other/labels.ts'", '../other/')).toBe(false)
    expect(mentions('read ../other/design.md', '../other/')).toBe(true)
  })

  it('hold no merge conflict and no file over 5 MB', () => {
    const marks = new RegExp(`^(${'<'.repeat(7)}|${'>'.repeat(7)}) `, 'm')
    const texts = listFiles().filter((file) => isText.test(file))
    expect(texts.filter((file) => marks.test(read(file)))).toEqual([])
    expect(texts.filter((file) => read(file).length > 5_000_000)).toEqual([])
  })

  it('keep the run of the continuous integration executable', () => {
    expect(() => accessSync(join(repository, '.ci/run'), constants.X_OK)).not.toThrow()
  })
})

/** As a path of its own, not as the middle of a longer relative one. */
function mentions(text: string, path: string): boolean {
  const at = text.indexOf(path)
  if (at < 0) return false
  if (!path.startsWith('..')) return true
  const before = text[at - 1]
  return (before !== '/' && before !== '.') || mentions(text.slice(at + path.length), path)
}

describe('npm run test:deep', () => {
  /** A sample of one is no trial. */
  const fixed = /numRuns: (?!1,)\d/

  it('widens every property: how often one is tried goes through runs()', () => {
    const tests = listFiles().filter((file) => /^tests\/.+\.ts$/.test(file))
    expect(tests.filter((file) => fixed.test(read(file)))).toEqual([])
    expect(`{ numRuns: ${40} }`).toMatch(fixed)
  })
})
