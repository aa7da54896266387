import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { plugins } from './src/build/plugins.ts'

const root = fileURLToPath(new URL('.', import.meta.url))
const at = (path: string) => `${root}${path}`

/**
 * tfjs ships several builds; Node and the browser must get the same one, or two engines (with two kernel
 * registries) end up in one process. `lab` is the module that learner programs import.
 */
const alias = [
  {
    find: /^@tensorflow\/tfjs-(core|backend-\w+)$/,
    replacement: at('node_modules/@tensorflow/tfjs-$1/dist/index.js'),
  },
  { find: /^seedrandom$/, replacement: at('node_modules/seedrandom/index.js') },
  { find: /^lab$/, replacement: at('src/lab-api/learner.ts') },
]

/** Command-line entries (`vite build --mode cli`): one file a command, sharing globs with the app. */
const commands = () =>
  Object.fromEntries(
    readdirSync(at('src/cli/commands'))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => [file.slice(0, -3), at(`src/cli/commands/${file}`)]),
  )

export default defineConfig(({ mode }) => {
  const shared = { resolve: { alias }, plugins: plugins({ root, mode }) }
  if (mode === 'cli') {
    return {
      ...shared,
      root,
      publicDir: false,
      logLevel: 'warn',
      ssr: {
        noExternal: [/^@tensorflow\//, /^seedrandom$/, /^long$/],
        external: ['vite', 'vitest', 'eslint', 'typescript', 'svelte', 'playwright', '@playwright/test'],
      },
      build: {
        ssr: true,
        target: 'node20',
        outDir: process.env.PERTURB_CLI_OUT ?? at('node_modules/.cache/perturb/cli'),
        emptyOutDir: true,
        minify: false,
        rolldownOptions: { input: commands(), checks: { pluginTimings: false } },
      },
    }
  }
  return {
    ...shared,
    root: at('src'),
    base: './',
    publicDir: at('static'),
    plugins: [svelte(), shared.plugins],
    server: { fs: { allow: [root] } },
    worker: {
      format: 'es',
      plugins: () => [plugins({ root, mode })],
      rolldownOptions: { checks: { pluginTimings: false } },
    },
    build: {
      outDir: at('dist'),
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 8000,
      rolldownOptions: {
        checks: { pluginTimings: false },
        // Monaco is loaded in parts; each is told by its name.
        output: {
          chunkFileNames: ({ moduleIds }) =>
            `assets/${moduleIds.some((id) => id.includes('/monaco-editor/')) ? 'editor-' : ''}[name]-[hash].js`,
        },
      },
    },
    test: {
      root,
      include: ['tests/{unit,reference,labs,architecture}/**/*.test.ts'],
      environment: 'node',
      server: { deps: { inline: [/@tensorflow/, /seedrandom/] } },
      // `npm run test:deep` tries ten times as many cases of each property.
      testTimeout: process.env.PERTURB_DEEP ? 600_000 : 60_000,
      hookTimeout: 60_000,
      setupFiles: [at('tests/helpers/setup.ts')],
      maxWorkers: 2,
    },
  }
})
