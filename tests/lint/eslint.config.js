import { fileURLToPath } from 'node:url'
import globals from 'globals'
import svelte from 'eslint-plugin-svelte'
import typescript from 'typescript-eslint'

const root = fileURLToPath(new URL('../../', import.meta.url))
const tfjs = {
  group: ['@tensorflow/*'],
  message: 'src/core/tf.ts is the only door to tfjs: import its functional ops from there.',
}

/** What the house wants of code, beyond types; layout is Prettier's. */
export default typescript.config(
  { ignores: ['**/node_modules/', 'dist/', 'tests/fixtures/', 'test-results/', '**/*.d.ts'] },
  ...typescript.configs.recommended,
  ...svelte.configs.recommended,
  {
    files: ['**/*.ts', '**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: {
        projectService: true,
        tsconfigRootDir: root,
        extraFileExtensions: ['.svelte'],
        parser: typescript.parser,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, attributes: false } },
      ],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/no-unused-expressions': ['error', { allowTernary: true }],
      '@typescript-eslint/only-throw-error': 'error',
      'no-restricted-imports': ['error', { patterns: [tfjs] }],
      'no-restricted-properties': [
        'error',
        {
          object: 'Math',
          property: 'random',
          message: 'Randomness comes from a seed (src/core/rng.ts), so that a run can be repeated.',
        },
      ],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'off',
      // The components draw plain strings and small sets that never change in place.
      'svelte/prefer-svelte-reactivity': 'off',
      // Hash routes of our own: there is no SvelteKit to resolve a link with.
      'svelte/no-navigation-without-resolve': 'off',
      // It takes the words of a reason for names of warnings; svelte-check judges these comments.
      'svelte/no-unused-svelte-ignore': 'off',
      // `{' '}` keeps a space at the end of a line.
      'svelte/no-useless-mustaches': 'off',
    },
  },
  { files: ['**/*.svelte', '**/*.svelte.ts'], rules: { 'prefer-const': 'off' } },
  // The door itself, the backends it opens, and the tests that stand beside stock tfjs.
  { files: ['src/core/**/*.ts', 'tests/bench/**/*stock*.ts'], rules: { 'no-restricted-imports': 'off' } },
  // The sandbox puts a seeded one in its place, for learner programs that call it.
  {
    files: ['src/sandbox/runtime/worker-main.ts', 'labs/*/{starter,solution,mistakes}/*.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  { files: ['src/app/**', 'src/ui/**', 'src/main.ts'], rules: { 'no-console': 'error' } },
  // Compiled programs are run as text to see what they do.
  { files: ['tests/unit/sandbox/**/*.ts'], rules: { 'no-eval': 'off' } },
  // Playwright asks for `async ({}, use)` in fixtures that need nothing.
  { files: ['tests/e2e/**/*.ts'], rules: { 'no-empty-pattern': 'off' } },
  {
    files: ['**/*.js', '**/*.mjs'],
    ...typescript.configs.disableTypeChecked,
    languageOptions: { globals: globals.node },
  },
)
