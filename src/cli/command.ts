/** What each file in src/cli/commands/ exports as `command`; the file name is the command's name. */
export interface Command {
  /** One line for the list of commands. */
  summary: string
  /** Full text of `--help`. */
  help: string
  /** Resolves with the exit code. argv excludes the command's name. */
  run(argv: string[]): Promise<number>
}
