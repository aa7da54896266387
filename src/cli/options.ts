import { parseArgs, type ParseArgsConfig } from 'node:util'

/**
 * Reads a command's options; an unknown or valueless one throws with the command's own words. `rest` holds what is
 * not an option, for a command that takes words; for one that does not, a word is refused rather than passed over.
 */
export function readOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  argv: string[],
  options: T,
  { words = false }: { words?: boolean } = {},
) {
  try {
    const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true, strict: true })
    if (!words && positionals.length > 0) throw new Error(`"${positionals[0]}" is not an option`)
    return { ...values, rest: positionals }
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`)
    const said = (error as Error).message.split('. ')[0]
    throw new Error(`${said}; the options are ${[...known, '--help'].join(', ')}`, { cause: error })
  }
}

/** A port number, or a sentence. */
export function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new Error(`--port must be a whole number from 0 to 65535; got "${text}"`)
  return port
}
