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

/** Runs a tool in the repository's root; its output goes to the terminal unless `quiet`. */
export function runTool(
  tool: Tool,
  args: string[],
  { quiet = false, env = {} }: { quiet?: boolean; env?: Record<string, string> } = {},
): Promise<ToolResult> {
  return runNode([join('node_modules', tools[tool]), ...args], quiet, env)
}

/** Runs one of our own commands, as `npm run NAME` does, in a process of its own; quietly. */
export function runCommand(name: string, args: string[] = []): Promise<ToolResult> {
  return runNode(['src/cli/run.mjs', name, ...args], true)
}

function runNode(
  [program, ...args]: string[],
  quiet: boolean,
  env: Record<string, string> = {},
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(repository, program!), ...args], {
      cwd: repository,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      env: { ...process.env, ...env },
    })
    let output = ''
    child.stdout?.on('data', (text: Buffer) => (output += text.toString()))
    child.stderr?.on('data', (text: Buffer) => (output += text.toString()))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status: status ?? 1, output }))
  })
}
