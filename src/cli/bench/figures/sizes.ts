import { gzipSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { measureBundles } from '../../bundle-sizes.ts'
import type { AppFigure } from '../figure.ts'

/** JavaScript, styles and WASM that a visit fetches until the page is quiet, each gzipped; files counted once. */
async function fetchedBy(
  route: string,
  { browser, address, folder, fetched }: Parameters<AppFigure['measure']>[0],
): Promise<number> {
  const context = await browser.newContext()
  try {
    fetched.clear()
    const page = await context.newPage()
    await page.addInitScript(() =>
      localStorage.setItem('perturb.settings', JSON.stringify({ backend: 'wasm' })),
    )
    await page.goto(`${address}/${route}`)
    // Enabled when the engine has read the first image, and so has fetched all it needs.
    await page.getByRole('slider', { disabled: false }).first().waitFor()
    await page.waitForLoadState('networkidle')
    return [...fetched]
      .filter((path) => /\.(js|css|wasm)$/.test(path))
      .reduce((sum, path) => sum + gzipSync(readFileSync(join(folder, path))).byteLength, 0)
  } finally {
    await context.close()
  }
}

export const figures: AppFigure[] = [
  {
    name: 'size-shell',
    title: 'Shell, JavaScript and CSS, gzipped',
    unit: 'kB',
    budget: 150,
    measure: async ({ folder }) => measureBundles(folder).find(({ name }) => name === 'shell')!.bytes / 1000,
  },
  {
    name: 'size-lab',
    title: 'A lab before its editor, as fetched: page, tfjs and WASM, gzipped',
    unit: 'kB',
    budget: 700,
    measure: async (app) => (await fetchedBy('#/lab/evasion-fgsm?step=explore', app)) / 1000,
  },
]
