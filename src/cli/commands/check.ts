import type { Command } from '../command.ts'
import { readOptions } from '../options.ts'
import { runTool } from '../tools.ts'

const fixture = 'tests/fixtures/svelte-check'

export const command: Command = {
  summary: 'Check the types: with the DOM, without it, and in the components',
  help: `
npm run check

  1. tsc over everything (tsconfig.json)
  2. tsc over core … grading without the DOM (src/tsconfig.trusted.json)
  3. svelte-check over the components
  4. svelte-check over ${fixture}, which must fail: a checker that reports nothing is caught

  --help   this text`,
  async run(argv) {
    readOptions(argv, {})
    const failed: string[] = []
    const step = async (name: string, run: () => Promise<boolean>) => {
      console.log(`check: ${name}`)
      if (!(await run())) failed.push(name)
    }
    await step('types', async () => (await runTool('tsc', ['--noEmit', '-p', 'tsconfig.json'])).status === 0)
    await step(
      'types of core … grading, without the DOM',
      async () => (await runTool('tsc', ['--noEmit', '-p', 'src/tsconfig.trusted.json'])).status === 0,
    )
    await step(
      'components',
      async () => (await runTool('svelte-check', svelteCheck('tsconfig.json'))).status === 0,
    )
    await step('the component that must fail', async () => {
      const { status, output } = await runTool(
        'svelte-check',
        [...svelteCheck('tsconfig.json'), '--workspace', fixture],
        {
          quiet: true,
        },
      )
      const reported =
        /not assignable to type 'number'/.test(output) && /'noSuchMember' does not exist/.test(output)
      if (status !== 0 && reported) return true
      console.error(
        `svelte-check must report two errors in ${fixture}/Broken.svelte; it exited ${status} and said:\n${output}`,
      )
      return false
    })
    console.log(failed.length ? `check: failed: ${failed.join('; ')}` : 'check: all four passed')
    return failed.length ? 1 : 0
  },
}

function svelteCheck(tsconfig: string): string[] {
  return ['--tsconfig', tsconfig, '--output', 'human', '--fail-on-warnings']
}
