import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from '@playwright/test'
import { build, loadConfigFromFile } from 'vite'
import { dist } from '../../src/cli/app.ts'
import { repository } from '../../src/cli/node-platform.ts'
import type { Artefact, LedgerSummary } from '../../src/grading/artefact.ts'
import type { Verdict } from '../../src/grading/verdict.ts'
import { expect, test } from './fixtures.ts'
import type * as HandIns from './harness/hand-ins.ts'

const slug = 'evasion-fgsm'
const seed = 2
/** Both are 32-bit sums of the same products by the same WASM binary; scores are of about 10. */
const tolerance = 1e-4

test('the page’s referee and Node say the same of every hand-in of the lab', async ({ page, app }) => {
  test.setTimeout(600_000)
  const byNode = await handInsInNode()
  const kinds = new Set(byNode.map(({ artefact }) => artefact.kind))
  expect([...kinds].sort()).toEqual(['adversarial-examples', 'answer', 'model-weights'])
  const verdicts = new Set(byNode.map(({ checkpoint, verdict }) => `${checkpoint}: ${verdict.status}`))
  for (const checkpoint of new Set(byNode.map((handIn) => handIn.checkpoint)))
    expect(verdicts).toContain(`${checkpoint}: passed`)
  expect(new Set(byNode.map(({ verdict }) => verdict.finding?.id)).size).toBeGreaterThan(6)

  await page.goto(app.at())
  const earlier: Record<string, Artefact> = {}
  for (const { checkpoint, artefact, ledger, verdict } of byNode) {
    const byPage = await gradeInPage(page, { checkpoint, artefact, ledger, earlier })
    expect.soft(differences(verdict, byPage), `${checkpoint}: ${verdict.headline}`).toEqual([])
    if (verdict.status === 'passed') earlier[checkpoint] ??= artefact
  }
})

/** Built as a command is, since Node 20 reads no TypeScript. */
async function handInsInNode(): Promise<HandIns.HandIn[]> {
  const out = join(repository, 'node_modules/.cache/perturb', `hand-ins-${process.pid}`)
  const config = { command: 'build', mode: 'cli', isSsrBuild: true } as const
  const loaded = await loadConfigFromFile(config, join(repository, 'vite.config.ts'))
  try {
    await build({
      ...loaded!.config,
      configFile: false,
      mode: 'cli',
      build: {
        ...loaded!.config.build,
        outDir: out,
        rolldownOptions: { input: join(repository, 'tests/e2e/harness/hand-ins.ts') },
      },
    })
    const module = (await import(pathToFileURL(join(out, 'hand-ins.js')).href)) as typeof HandIns
    return await module.handIns(slug, seed)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

/** Playwright carries typed arrays as lists, slowly; text it carries as it is. */
const asText = (value: unknown) =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Float32Array
      ? { base64: Buffer.from(inner.buffer, inner.byteOffset, inner.byteLength).toString('base64') }
      : inner,
  )

/** Asks the very worker that the built page starts, over its own protocol. */
function gradeInPage(
  page: Page,
  request: {
    checkpoint: string
    artefact: Artefact
    ledger?: LedgerSummary
    earlier: Record<string, Artefact>
  },
): Promise<Verdict> {
  const script = readdirSync(join(dist, 'assets')).filter((name) => /^referee\.worker-.*\.js$/.test(name))
  expect(script).toHaveLength(1)
  return page.evaluate(
    async ({ url, request, lab, seed }) => {
      const bytes = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
      const revive = (_: string, value: { base64?: string } | null) =>
        value?.base64 === undefined ? value : new Float32Array(bytes(value.base64).buffer)
      const kept = window as unknown as { testReferee?: Worker }
      if (!kept.testReferee) {
        kept.testReferee = new Worker(url, { type: 'module' })
        kept.testReferee.postMessage({ type: 'hello', base: new URL('.', document.baseURI).href })
      }
      const worker = kept.testReferee
      return new Promise<never>((resolve, reject) => {
        worker.onerror = (event) => reject(new Error(event.message))
        worker.onmessage = ({ data }: MessageEvent) => {
          if (data.type === 'result') resolve(data.value as never)
          if (data.type === 'error') reject(new Error(data.error.message))
        }
        const params = { lab, seed, ...(JSON.parse(request, revive) as object) }
        worker.postMessage({ type: 'call', id: 1, method: 'grade', params })
      })
    },
    { url: `assets/${script[0]}`, request: asText(request), lab: slug, seed },
  )
}

/** Where two values differ: numbers by more than the tolerance, all else at all. */
function differences(node: unknown, page: unknown, path = 'verdict'): string[] {
  if (typeof node === 'number' && typeof page === 'number') {
    const near = Math.abs(node - page) <= tolerance || Object.is(node, page)
    return near ? [] : [`${path}: Node says ${node}, the page ${page}`]
  }
  if (typeof node !== 'object' || typeof page !== 'object' || node === null || page === null)
    return node === page ? [] : [`${path}: Node says ${String(node)}, the page ${String(page)}`]
  const keys = new Set([...Object.keys(node), ...Object.keys(page)])
  return [...keys].flatMap((key) =>
    differences(
      (node as Record<string, unknown>)[key],
      (page as Record<string, unknown>)[key],
      `${path}.${key}`,
    ),
  )
}
