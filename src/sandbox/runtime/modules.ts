/**
 * The learner's files as functions, and how they see each other: `import` became `require`, one object of
 * exports a file. Used by the sandbox's worker and by the check command in Node alike.
 */

export type ModuleFunction = (
  require: (specifier: string) => object,
  exports: Record<string, unknown>,
  console: unknown,
  math: Math,
) => Promise<void>

/** What the compiled text (compile.ts) evaluates to. */
export interface ModuleTable {
  main: string
  /** Names of the files that are needed, each after what it imports; main is the last. */
  order: readonly string[]
  modules: Readonly<Record<string, ModuleFunction>>
}

/** Runs every needed file once; resolves when main has finished, its top-level awaits included. */
export async function runModules(
  table: ModuleTable,
  lab: Readonly<Record<string, unknown>>,
  surroundings: { console: unknown; math: Math },
): Promise<void> {
  const exported = new Map<string, Record<string, unknown>>()
  for (const name of table.order) exported.set(name, {})
  const door = namedExports('lab', { __esModule: true, ...lab })
  const require = (specifier: string): object => {
    if (specifier === 'lab') return door
    const bare = String(specifier).replace(/^\.\//, '')
    const name = [bare, `${bare}.ts`, bare.replace(/\.js$/, '.ts')].find((candidate) =>
      exported.has(candidate),
    )
    if (name === undefined)
      throw new Error(
        `cannot import '${specifier}': a program here may import from 'lab' and its own files, at the top of a file`,
      )
    return namedExports(name, exported.get(name)!)
  }
  for (const name of table.order) {
    await table.modules[name]!(require, exported.get(name)!, surroundings.console, surroundings.math)
  }
}

/** Asking for a name that is not there is an error that says what is, instead of `undefined`. */
function namedExports(file: string, exports: Record<string, unknown>): object {
  return new Proxy(exports, {
    get(target, key) {
      if (typeof key === 'symbol' || Object.hasOwn(target, key) || key === 'then' || key === '__esModule') {
        return Reflect.get(target, key)
      }
      const names = Object.keys(target).filter((name) => name !== '__esModule')
      const offers = names.length ? `it has ${names.join(', ')}` : 'it exports nothing yet'
      const what = key === 'default' ? 'a default export' : `"${key}"`
      throw new Error(
        file === 'lab' ? `'lab' has no ${what}; ${offers}` : `${file} does not export ${what}; ${offers}`,
      )
    },
  })
}
