import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { repository } from './node-platform.ts'

/** Programs of the development dependencies, called as files: no shell, no npx, the same on every system. */
const tools = {
  tsc: 'typescript/bin/tsc',
  'svelte-check': 'svelte-check/bin/svelte-check',
  eslint: 'eslint/bin/eslint.js',
  prettier: 'prettier/bin/prettier.cjs',
  vitest: 'vitest/vitest.mjs',
  playwright: '@playwright/test/cli.js',
}

export type Tool = keyof typeof tools

export interface ToolResult {
  status: number
  /** Both streams, when `quiet`. */
  output: string
}

export interface ToolOptions {
  /** Collect what it prints instead of showing it. */
  quiet?: boolean
  env?: Record<string, string>
  /** After so long it is killed, with all that it started. */
  limitMinutes?: number
}

/** Runs a tool in the repository's root; its output goes to the terminal unless `quiet`. */
export function runTool(tool: Tool, args: string[], options: ToolOptions = {}): Promise<ToolResult> {
  return runNode([join('node_modules', tools[tool]), ...args], options)
}

/** Runs one of our own commands, as `npm run NAME` does, in a process of its own; quietly. */
export function runCommand(name: string, args: string[] = []): Promise<ToolResult> {
  return runNode(['src/cli/run.mjs', name, ...args], { quiet: true })
}

function runNode(
  [program, ...args]: string[],
  { quiet = false, env = {}, limitMinutes }: ToolOptions,
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    // A group of its own, so that workers which compute and listen to nobody end with it.
    const grouped = limitMinutes !== undefined && process.platform !== 'win32'
    const child = spawn(process.execPath, [join(repository, program!), ...args], {
      cwd: repository,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      env: { ...process.env, ...env },
      detached: grouped,
    })
    const kill = () => (grouped ? process.kill(-child.pid!, 'SIGKILL') : child.kill('SIGKILL'))
    const interrupted = () => {
      kill()
      process.exit(130)
    }
    if (grouped) process.on('SIGINT', interrupted).on('SIGTERM', interrupted)
    const timer =
      limitMinutes !== undefined &&
      setTimeout(() => {
        console.error(`${program} had not ended after ${limitMinutes} minutes and was stopped`)
        kill()
      }, limitMinutes * 60_000)
    let output = ''
    child.stdout?.on('data', (text: Buffer) => (output += text.toString()))
    child.stderr?.on('data', (text: Buffer) => (output += text.toString()))
    child.on('error', reject)
    child.on('close', (status) => {
      if (timer) clearTimeout(timer)
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
      resolve({ status: status ?? 1, output })
    })
  })
}
