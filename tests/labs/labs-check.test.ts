import { describe, expect, test } from 'vitest'
import { command } from '../../src/cli/commands/labs-check.ts'

describe('npm run labs:check', () => {
  test('names the lab that was meant', async () => {
    await expect(command.run(['--lab', 'evasion-fgms'])).rejects.toThrow(
      'no lab "evasion-fgms"; did you mean "evasion-fgsm"?',
    )
  })

  test.each(['0', 'many', '1.5', '1001'])('refuses %s seeds', async (seeds) => {
    await expect(command.run([`--seeds=${seeds}`])).rejects.toThrow(
      `--seeds must be a whole number from 1 to 1000; got "${seeds}"`,
    )
  })
})
