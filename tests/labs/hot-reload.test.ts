import { join } from 'node:path'
import { createServer, type ViteDevServer } from 'vite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { guides } from '../../src/build/guide-plugin.ts'
import { readShelf } from '../../src/build/lab-folder.ts'
import { repository } from '../../src/cli/node-platform.ts'

const [slug] = readShelf(repository).slugs
const labs = join(repository, 'labs')
let server: ViteDevServer
const sent: unknown[] = []

beforeAll(async () => {
  server = await createServer({
    configFile: false,
    root: join(repository, 'src'),
    logLevel: 'silent',
    plugins: [guides({ root: `${repository}/`, mode: 'development' })],
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, ws: false, fs: { allow: [repository] } },
  })
  const { client } = server.environments
  client.hot.send = (...message: unknown[]) => void sent.push(message[0])
  await client.transformRequest('/labs/loader.ts')
  await client.transformRequest(join(labs, slug!, 'guide.md'))
})
afterAll(() => server.close())

describe('npm run dev', () => {
  // The event is given by hand: what a watcher hears, and when, is the machine's affair.
  test.each([`${slug}/guide.md`, `${slug}/lab.json`, 'glossary.json'])(
    'reloads the page when labs/%s is saved',
    async (file) => {
      sent.length = 0
      server.watcher.emit('change', join(labs, file))
      await vi.waitFor(
        () => expect(sent).toContainEqual(expect.objectContaining({ type: 'full-reload' })),
        10_000,
      )
    },
  )

  test('reloads the page when a kind of widget comes', async () => {
    sent.length = 0
    server.watcher.emit('add', join(repository, 'src/ui/widgets/a-new-kind.svelte'))
    await vi.waitFor(
      () => expect(sent).toContainEqual(expect.objectContaining({ type: 'full-reload' })),
      10_000,
    )
  })

  test('watches the labs, which lie beside the root', async () => {
    await vi.waitFor(() => {
      const watched = server.watcher.getWatched()
      expect(watched[labs]).toContain('glossary.json')
      expect(watched[join(labs, slug!)]).toEqual(expect.arrayContaining(['guide.md', 'lab.json']))
    }, 10_000)
  })
})
