import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { repository } from '../../../src/cli/node-platform.ts'

/** Builds the harness with the app's own configuration and the very policy of src/index.html. */
export async function buildHarness(page: 'index' | 'editor' | 'backends' = 'index'): Promise<string> {
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(
    readFileSync(join(repository, 'src/index.html'), 'utf8'),
  )?.[1]
  if (!policy)
    throw new Error(
      'src/index.html: must carry its policy as <meta http-equiv="Content-Security-Policy" content="…">',
    )
  const outDir = mkdtempSync(join(tmpdir(), 'perturb-harness-'))
  await build({
    configFile: join(repository, 'vite.config.ts'),
    root: join(repository, 'tests/e2e/harness'),
    logLevel: 'warn',
    plugins: [
      {
        name: 'harness:policy',
        enforce: 'pre',
        transformIndexHtml: { order: 'pre', handler: (html) => html.replace('%APP_POLICY%', policy) },
      },
    ],
    build: {
      outDir,
      emptyOutDir: true,
      rolldownOptions: { input: join(repository, `tests/e2e/harness/${page}.html`) },
    },
  })
  return outDir
}
