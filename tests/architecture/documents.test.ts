import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { listFiles, read, repository } from './repository.ts'

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
const commands = import.meta.glob<Command>('../../src/cli/commands/*.ts', { import: 'command', eager: true })
const commandNames = Object.keys(commands).map((path) => posix.basename(path, '.ts'))
const labTitles = Object.values(
  import.meta.glob<string>('../../labs/*/lab.json', { import: 'title', eager: true }),
)
/** Guides are checked by the guide compiler. */
const documents = listFiles().filter((file) => file.endsWith('.md') && !/^labs\/.+\//.test(file))

describe('documents', () => {
  it('have no dead link', () => {
    expect(documents).toContain('README.md')
    expect(documents.flatMap(deadLinks)).toEqual([])
  })

  it('name only commands that exist', () => {
    const dead = listFiles()
      .filter((file) => file.endsWith('.md') || /^src\/cli\/.+\.ts$/.test(file))
      .flatMap((file) => unknownCommands(file, read(file)))
    expect(dead).toEqual([])
  })

  it('tell of every lab: the front page has its title', () => {
    const untold = (text: string) => labTitles.filter((title) => !text.includes(`| ${title} `))
    expect(untold(read('README.md'))).toEqual([])
    expect(untold('| One step is enough |')).toHaveLength(labTitles.length - 1)
  })

  it('tell of every command: the front page has it', () => {
    const front = read('README.md')
    const asTyped = (name: string) => (['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`)
    expect(Object.keys(scripts).filter((name) => !front.includes(`\`${asTyped(name)}\``))).toEqual([])
  })

  it('finds a dead link, a dead anchor and a dead command when there is one', () => {
    const text =
      '# One thing\n[a](nowhere.md) [b](#one-thing) [c](#another) [d](package.json) ![e](docs/none.png)\n`npm run nonsense -- --x`'
    expect(deadLinksIn('README.md', text)).toEqual([
      'README.md: nothing is at nowhere.md',
      'README.md: no heading #another',
      'README.md: nothing is at docs/none.png',
    ])
    expect(unknownCommands('README.md', text)).toEqual(['README.md: no command "npm run nonsense"'])
  })

  it('stand in every folder of src', () => {
    const without = readdirSync(join(repository, 'src'))
      .filter((name) => statSync(join(repository, 'src', name)).isDirectory())
      .filter((name) => !existsSync(join(repository, 'src', name, 'README.md')))
    expect(without).toEqual([])
  })
})

describe('commands', () => {
  it('are reached by an npm script each, and every script runs one', () => {
    const run = Object.values(scripts).map((script) => /^node src\/cli\/run\.mjs ([\w-]+)/.exec(script)?.[1])
    expect([...new Set(run)].sort()).toEqual([...commandNames].sort())
  })

  it.each(commandNames)('%s explains itself', (name) => {
    const command = commands[`../../src/cli/commands/${name}.ts`]!
    expect(command.summary).toMatch(/^[A-Z].{10,}[^.]$/)
    const script = Object.keys(scripts).find((key) => scripts[key] === `node src/cli/run.mjs ${name}`)!
    const typed = script === 'start' || script === 'test' ? `npm ${script}` : `npm run ${script}`
    expect(command.help).toContain(typed)
  })

  it.each(commandNames)('%s prints its help and exits 0 at --help', (name) => {
    const { status, stdout, stderr } = run(name, '--help')
    expect(stderr).toBe('')
    expect(stdout.trim()).toBe(commands[`../../src/cli/commands/${name}.ts`]!.help.trim())
    expect(status).toBe(0)
  })

  it('say what there is when the name is unknown', () => {
    const { status, stderr } = run('strat')
    expect(stderr).toMatch(/no command "strat"; the commands are .*start/)
    expect(status).toBe(1)
  })

  it('say which options there are when one is unknown', () => {
    const { status, stderr } = run('start', '--prot', '80')
    expect(stderr).toMatch(
      /start: Unknown option '--prot'; the options are --port, --host, --isolated, --help/,
    )
    expect(status).toBe(1)
  })

  it('do not pass over a word that they do not take', () => {
    const { status, stderr } = run('labs-check', 'evasion-fgsm')
    expect(stderr).toMatch(/labs-check: "evasion-fgsm" is not an option; the options are --lab, /)
    expect(status).toBe(1)
  })
})

function run(...argv: string[]) {
  return spawnSync(process.execPath, ['src/cli/run.mjs', ...argv], { cwd: repository, encoding: 'utf8' })
}

function deadLinks(file: string): string[] {
  return deadLinksIn(file, read(file))
}

function deadLinksIn(file: string, text: string): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '')
  const targets = [...prose.matchAll(/!?\[[^\]]*\]\(([^)\s]+)[^)]*\)/g)].map(([, target]) => target!)
  return targets.flatMap((target) => {
    if (/^(https?:|mailto:)/.test(target)) return []
    const [path = '', anchor] = target.split('#')
    const to = path === '' ? file : posix.join(posix.dirname(file), decodeURI(path))
    if (path !== '' && !existsSync(join(repository, to))) return [`${file}: nothing is at ${target}`]
    if (anchor === undefined || !to.endsWith('.md')) return []
    const headings = anchorsOf(to === file ? text : read(to))
    return headings.includes(anchor) ? [] : [`${file}: no heading #${anchor}`]
  })
}

/** As GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
}

function unknownCommands(file: string, text: string): string[] {
  return [...text.matchAll(/npm run ([a-z][\w:-]*)/g)]
    .map(([, name]) => name!.replace(/[:-]+$/, ''))
    .filter((name) => !(name in scripts))
    .map((name) => `${file}: no command "npm run ${name}"`)
}
