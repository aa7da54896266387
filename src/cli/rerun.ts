import type { Browser } from '@playwright/test'
import type { RerunRequest, RerunResult } from '../grading/rerun.ts'
import { buildIfStale, dist } from './app.ts'
import { ensureBrowser } from './browser.ts'
import { serve, type Site } from './serve.ts'

/** Runs programs of evidence again, each in a fresh page of a headless browser. */
export interface Rerunner {
  /** Throws when *we* could not run it; what the program did wrong is its result. */
  run(request: RerunRequest): Promise<RerunResult>
  close(): Promise<void>
}

/** What went wrong in the page, without its stack and the names of the machinery. */
function sentenceOf(error: unknown): string {
  const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return sentence.replace(/^page\.evaluate: /, '').replace(/^\w*Error: /, '')
}

/** Longest that a lab gives a program is five minutes; the engine and the sandbox start before that. */
const pageMs = 7 * 60_000

/** Serves the built app, building it when it is stale, and opens a Chromium on it. */
export async function openRerunner(say: (line: string) => void): Promise<Rerunner> {
  const { chromium } = await import('@playwright/test')
  await buildIfStale(say)
  const { path, from } = ensureBrowser(say)
  say(`running programs in ${path} (${from})`)
  const site: Site = await serve(dist)
  let browser: Browser
  try {
    const args = [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ]
    const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    browser = await chromium.launch({ executablePath: path, args: [...asRoot, ...args] })
  } catch (error) {
    await site.close()
    throw error
  }
  return {
    async run(request) {
      const context = await browser.newContext()
      try {
        const page = await context.newPage()
        await page.goto(`${site.address}/#/rerun`)
        await page.waitForFunction(() => 'perturbRerun' in globalThis)
        let timer: ReturnType<typeof setTimeout> | undefined
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error('the browser did not finish in seven minutes')), pageMs)
        })
        const work = page.evaluate(
          (asked) => (globalThis as unknown as { perturbRerun: Rerunner['run'] }).perturbRerun(asked),
          request,
        )
        return await Promise.race([work, late]).finally(() => clearTimeout(timer))
      } catch (error) {
        throw new Error(sentenceOf(error), { cause: error })
      } finally {
        await context.close()
      }
    },
    async close() {
      await browser.close()
      await site.close()
    },
  }
}
