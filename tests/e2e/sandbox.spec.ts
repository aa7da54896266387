import { rmSync } from 'node:fs'
import { serve, type SeenRequest } from '../../src/cli/serve.ts'
import { expect, test as base } from './fixtures.ts'
import { buildHarness } from './harness/build.ts'
import type { Harness, HarnessResult, HarnessRun } from './harness/harness.ts'

interface Fixtures {
  /** Runs a program (main.ts, or several files) in the sandbox on the harness page. */
  run(request: HarnessRun | string): Promise<HarnessResult>
}

/** The same fixtures and guards as for the app, with the harness in the app's place. */
const test = base.extend<Fixtures>({
  served: [
    async ({}, use) => {
      const folder = await buildHarness()
      const log: SeenRequest[] = []
      const site = await serve(folder, { onRequest: (request) => log.push(request) })
      await use({ site, log, intercept: undefined })
      await site.close()
      rmSync(folder, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  run: async ({ page, app }, use) => {
    await page.goto(app.at())
    await page.waitForFunction(() => 'harness' in window)
    await use((request) =>
      page.evaluate(
        (asked) => (window as unknown as { harness: Harness }).harness.run(asked),
        typeof request === 'string' ? { files: { 'main.ts': request } } : request,
      ),
    )
  },
})

test('runs a program that attacks the victim and hands in, with console, progress and ledger', async ({
  run,
}) => {
  const { outcome, backend, lines, progress, ledger, figures } = await run({
    files: {
      'main.ts': `import { data, progress, submit, task, victim, tf } from 'lab'
import { fgsm } from './fgsm'
const { ids, x, y } = await data.sample()
progress(1, 2)
const adversarial = await fgsm(victim, x, y, task.epsilon)
console.log('labels', y, adversarial)
await submit({ ids, x: adversarial })`,
      'fgsm.ts': `import { tf, type Tensor, type Victim } from 'lab'
export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const { gradient } = await victim.lossAndGradient(x, y)
  return tf.clipByValue(tf.add(x, tf.mul(epsilon, tf.sign(gradient))), ...victim.bounds)
}`,
    },
  })
  expect(outcome).toMatchObject({
    status: 'finished',
    artefact: { kind: 'adversarial-examples', ids: [0, 1, 2, 3], shape: [4, 28, 28, 1] },
  })
  expect(backend).toBe('wasm')
  expect(lines).toEqual([
    {
      level: 'log',
      text: expect.stringMatching(/^labels \[7, 2, 1, 0\] Tensor \(4, 28, 28, 1\) float32 \[/),
    },
  ])
  expect(progress).toEqual([[1, 2]])
  expect(ledger).toMatchObject({ rows: { gradient: 4 }, refused: 0 })
  expect(figures.at(-1)).toEqual({ used: 4, max: 1000 })
  const { pixels } = (outcome as { artefact: { pixels: Float32Array } }).artefact
  expect(Math.max(...Object.values(pixels))).toBe(1)
})

/** What each line of output said, in order. */
const texts = (result: HarnessResult) => result.lines.map((line) => line.text)
/** Runs an expression on the worker's global as hostile code would, and tells how it went. */
const probe = (name: string, expression: string) => `
try {
  const value = await (async () => (${expression}))()
  console.log(${JSON.stringify(name)}, 'REACHED', typeof value)
} catch (error) {
  console.log(${JSON.stringify(name)}, 'refused:', String(error?.name))
}`

test.describe('nothing leaves', () => {
  const url = '/leak?'
  const ways: Record<string, string> = {
    fetch: `globalThis.fetch(ORIGIN + '${url}fetch')`,
    'fetch, no-cors': `globalThis.fetch(ORIGIN + '${url}nocors', { mode: 'no-cors', keepalive: true })`,
    XMLHttpRequest: `(() => { const r = new globalThis.XMLHttpRequest(); r.open('GET', ORIGIN + '${url}xhr', false); r.send(); return r.status })()`,
    WebSocket: `new Promise((ok, no) => { const s = new globalThis.WebSocket(ORIGIN.replace('http', 'ws') + '${url}ws'); s.onopen = ok; s.onerror = () => no(new Error('closed')) })`,
    WebSocketStream: `new globalThis.WebSocketStream(ORIGIN.replace('http', 'ws') + '${url}wss').opened`,
    WebTransport: `new globalThis.WebTransport(ORIGIN.replace('http:', 'https:') + '${url}wt').ready`,
    EventSource: `new Promise((ok, no) => { const s = new globalThis.EventSource(ORIGIN + '${url}es'); s.onopen = ok; s.onerror = () => no(new Error('closed')) })`,
    sendBeacon: `globalThis.navigator.sendBeacon(ORIGIN + '${url}beacon', 'x')`,
    importScripts: `globalThis.importScripts(ORIGIN + '${url}importScripts')`,
    'nested worker': `new globalThis.Worker(ORIGIN + '${url}worker')`,
    'nested blob worker': `new globalThis.Worker(globalThis.URL.createObjectURL(new globalThis.Blob(["fetch('" + ORIGIN + "${url}blobworker')"])))`,
    SharedWorker: `new globalThis.SharedWorker(ORIGIN + '${url}shared')`,
    'font face': `new globalThis.FontFace('f', 'url(' + ORIGIN + '${url}font)').load()`,
    image: `(() => { const i = new globalThis.Image(); i.src = ORIGIN + '${url}image'; return i })()`,
    'image bitmap': `globalThis.createImageBitmap(ORIGIN + '${url}bitmap')`,
    'new Function': `new Function('return 1')()`,
    'indirect eval': `(0, eval)('1')`,
    'async constructor': `(async () => {}).constructor('return 1')()`,
    'timer text': `new Promise((ok, no) => { globalThis.tt = ok; setTimeout('tt()' as never, 0); setTimeout(() => no(new Error('blocked')), 200) })`,
    RTCPeerConnection: `new globalThis.RTCPeerConnection({ iceServers: [{ urls: 'stun:' + new URL(ORIGIN).hostname }] }).createOffer()`,
    'top navigation': `(globalThis.top.location.href = ORIGIN + '${url}top')`,
    'own navigation': `(globalThis.location.href = ORIGIN + '${url}self')`,
    'window.open': `globalThis.open(ORIGIN + '${url}open')`,
    form: `globalThis.document.createElement('form').submit()`,
    stylesheet: `globalThis.document.styleSheets`,
    'parent page': `globalThis.parent.document.title`,
    opener: `globalThis.opener.document.title`,
    indexedDB: `new Promise((ok, no) => { const r = globalThis.indexedDB.open('x'); r.onsuccess = ok; r.onerror = () => no(r.error) })`,
    caches: `globalThis.caches.open('x')`,
    OPFS: `globalThis.navigator.storage.getDirectory()`,
    localStorage: `globalThis.localStorage.length`,
    cookieStore: `globalThis.cookieStore.getAll()`,
    BroadcastChannel: `new globalThis.BroadcastChannel('perturb').postMessage('x')`,
    locks: `globalThis.navigator.locks.query()`,
    serviceWorker: `globalThis.navigator.serviceWorker.register('/x.js')`,
    WebGPU: `globalThis.navigator.gpu.requestAdapter()`,
    postMessage: `globalThis.postMessage('x')`,
    'message listener': `globalThis.addEventListener('message', () => {})`,
    MessageChannel: `new globalThis.MessageChannel()`,
    close: `globalThis.close()`,
  }

  test('through any door of the worker', async ({ run, app }) => {
    const before = app.requests.length
    const program = [
      `const ORIGIN = ${JSON.stringify(app.origin)}`,
      ...Object.entries(ways).map(([name, way]) =>
        probe(name, way.replaceAll('globalThis', '(globalThis as any)')),
      ),
    ].join('\n')
    const result = await run(program)
    expect(result.outcome.status).toBe('finished')
    expect(texts(result).filter((text) => !text.includes('refused:'))).toEqual([])
    expect(result.lines).toHaveLength(Object.keys(ways).length)
    const reached = app.requests
      .slice(before)
      .map(({ path }) => path)
      .filter((path) => path.includes('leak'))
    expect(reached).toEqual([])
  })

  test('even without the fence: the frame’s policy alone stops a worker that still has its globals', async ({
    page,
    app,
    pageErrors,
    run,
    strangersExpected,
  }) => {
    void run
    pageErrors.allow(/Content Security Policy|violates|Refused|ERR_|Failed to load|^uncaught: $/)
    strangersExpected.yes = true
    const before = app.requests.length
    const document = await page.evaluate(() =>
      (window as unknown as { harness: Harness }).harness.frameDocument(),
    )
    const said = await page.evaluate(
      async ({ document: text, origin }) => {
        const worker = `
          const tried = []
          const attempt = async (name, f) => { try { await f(); tried.push(name + ' REACHED') } catch (error) { tried.push(name + ' refused') } }
          ;(async () => {
            const o = ${JSON.stringify(origin)}
            await attempt('fetch', () => fetch(o + '/leak?f1'))
            await attempt('nocors', () => fetch(o + '/leak?f2', { mode: 'no-cors' }))
            await attempt('xhr', () => { const r = new XMLHttpRequest(); r.open('GET', o + '/leak?x', false); r.send() })
            await attempt('ws', () => new Promise((ok, no) => { const s = new WebSocket(o.replace('http', 'ws') + '/leak?ws'); s.onopen = ok; s.onerror = no }))
            await attempt('es', () => new Promise((ok, no) => { const s = new EventSource(o + '/leak?es'); s.onopen = ok; s.onerror = no }))
            await attempt('importScripts', () => importScripts(o + '/leak?is'))
            await attempt('import', () => import(o + '/leak?im'))
            await attempt('eval', () => (0, eval)('1'))
            await attempt('idb', () => new Promise((ok, no) => { const r = indexedDB.open('x'); r.onsuccess = ok; r.onerror = no }))
            await attempt('caches', () => caches.open('x'))
            await attempt('opfs', () => navigator.storage.getDirectory())
            await attempt('worker', () => new Promise((ok, no) => { const w = new Worker(o + '/leak?w'); w.onmessage = ok; w.onerror = no }))
            await attempt('nested', () => new Promise((ok, no) => { const w = new Worker(URL.createObjectURL(new Blob(["fetch('" + o + "/leak?n').then(() => postMessage(1), () => { throw 1 })"]))); w.onmessage = ok; w.onerror = no; setTimeout(no, 2000) }))
            const port = await new Promise((ok) => { onmessage = (event) => ok(event.ports[0]) })
            port.postMessage({ type: 'ready', backend: 'cpu' })
            port.postMessage({ type: 'console', lines: tried.map((text) => ({ level: 'log', text })), dropped: 0 })
            port.postMessage({ type: 'finished' })
          })()
          // Kept until the asker is ready: the port comes as the first message.
          const early = new Promise((ok) => addEventListener('message', ok, { once: true }))
          early.then((event) => setTimeout(() => onmessage?.(event), 6000))`
        const frame = globalThis.document.createElement('iframe')
        frame.setAttribute('sandbox', 'allow-scripts')
        frame.srcdoc = text
        await new Promise((ok) => {
          frame.onload = ok
          globalThis.document.body.append(frame)
        })
        const { port1, port2 } = new MessageChannel()
        const engine = new MessageChannel()
        const lines: string[] = []
        const done = new Promise<void>((ok) => {
          port1.onmessage = ({ data }) => {
            if (data.type === 'console') lines.push(...data.lines.map((line: { text: string }) => line.text))
            if (data.type === 'finished') ok()
          }
        })
        const limits = {
          consoleLines: 100,
          consoleBytes: 1e5,
          messagesPerSecond: 100,
          requestBytes: 1e6,
          artefactBytes: 1e6,
        }
        frame.contentWindow!.postMessage(
          {
            type: 'start',
            workerText: worker,
            init: { wasm: null, access: [], task: { values: {}, seed: 1 }, limits },
          },
          '*',
          [port2, engine.port1],
        )
        await done
        frame.remove()
        return lines
      },
      { document, origin: app.origin },
    )
    expect(said).toHaveLength(13)
    expect(said.filter((text) => text.includes('REACHED'))).toEqual([])
    expect(
      app.requests
        .slice(before)
        .map(({ path }) => path)
        .filter((path) => path.includes('leak')),
    ).toEqual([])
  })

  test('and the program sees nothing of the page’s own storage or channels', async ({ page, run }) => {
    await page.evaluate(() => {
      localStorage.setItem('secret', '1')
      const channel = new BroadcastChannel('perturb')
      channel.onmessage = () => document.body.setAttribute('data-heard', 'yes')
      Object.assign(window, { channel })
    })
    const result = await run(
      `console.log(Object.getOwnPropertyNames(globalThis).filter((name) => /storage|channel|port|message|fetch|socket|worker|import|cache|indexed|location|navigator|origin/i.test(name)))`,
    )
    expect(texts(result)).toEqual(['[]'])
    await expect(page.locator('body')).not.toHaveAttribute('data-heard')
  })
})

test.describe('the page stays alive', () => {
  test('while an endless loop runs, and kills it at the deadline', async ({ run }) => {
    const result = await run({ files: { 'main.ts': "console.log('begun')\nwhile (true) {}" }, seconds: 2 })
    expect(result.outcome.status).toBe('deadline')
    expect(texts(result)).toEqual(['begun'])
    expect(result.ticks).toBeGreaterThan(20)
    expect(result.framesLeft).toBe(0)
  })

  test('and waiting for the model is not the program’s own time, up to ten times the deadline', async ({
    run,
  }) => {
    const asking = (until: string) =>
      `import { tf, victim } from 'lab'\nconst x = tf.zeros([400, 28, 28, 1])\nconst began = performance.now()\nwhile (${until}) (await victim.logits(x)).dispose()\nconsole.log('done')`
    const patient = await run({
      files: { 'main.ts': asking('performance.now() - began < 2500') },
      seconds: 1,
      maxQueries: 1e9,
    })
    expect(patient.outcome).toMatchObject({ status: 'finished' })
    expect(patient.outcome.seconds).toBeGreaterThan(2)
    const endless = await run({ files: { 'main.ts': asking('true') }, seconds: 0.2, maxQueries: 1e9 })
    expect(endless.outcome.status).toBe('deadline')
  })

  test('and cancels an endless loop at once', async ({ run }) => {
    const result = await run({ files: { 'main.ts': "console.log('begun')\nfor (;;);" }, cancelAfterMs: 300 })
    expect(result.outcome.status).toBe('cancelled')
    expect(result.cancelMs).toBeLessThan(200)
    expect(result.framesLeft).toBe(0)
  })

  test('under a million lines of output', async ({ run }) => {
    const result = await run({
      files: {
        'main.ts': "for (let i = 0; i < 1e6; i++) console.log('line', i)\nconsole.error('never shown')",
      },
      seconds: 60,
    })
    expect(result.outcome.status).toBe('finished')
    expect(result.lines).toHaveLength(1000)
    expect(result.dropped).toBe(999_001)
    expect(result.lines[999]!.text).toBe('line 999')
  })

  test('under a million progress reports and unawaited calls', async ({ run }) => {
    const result = await run({
      files: {
        'main.ts':
          "import { progress, victim, tf } from 'lab'\nfor (let i = 1; i <= 1e6; i++) progress(i, 1e6)\nfor (let i = 0; i < 1e5; i++) void victim.logits(tf.zeros([1, 28, 28, 1])).catch(() => {})\nconsole.log('sent')",
      },
      seconds: 30,
    })
    expect(['finished', 'deadline']).toContain(result.outcome.status)
    expect(result.progress.length).toBeLessThan(1000)
    expect(result.ledger.calls).toBeLessThan(2000)
    expect(result.ticks).toBeGreaterThan(5)
  })

  test('and a worker that floods past the runtime is stopped by the frame', async ({ page, run }) => {
    void run
    const result = await page.evaluate(() => (window as unknown as { harness: Harness }).harness.flood())
    expect(result.ended).toMatchObject({ type: 'flood' })
    expect(result.heard).toBeLessThan(100)
    expect(result.ticks).toBeGreaterThan(5)
  })

  test('under a 2 GB allocation', async ({ run, page }) => {
    const { outcome } = await run(
      'const a = new Uint8Array(2 ** 31)\nfor (let i = 0; i < a.length; i += 4096) a[i] = 1\nconsole.log(a.length)',
    )
    expect(['finished', 'failed', 'crashed']).toContain(outcome.status)
    expect(await page.evaluate(() => 1 + 1)).toBe(2)
    expect(texts(await run("console.log('still here')"))).toEqual(['still here'])
  })

  test('when memory runs out and the browser kills the sandbox’s process', async ({
    run,
    page,
    app,
    pageErrors,
  }) => {
    void run
    pageErrors.allow(/404/)
    // Playwright takes the frame's end for the page's, so the page tells the server itself.
    await page.evaluate(() => {
      const { harness } = window as unknown as { harness: Harness }
      const files = {
        'main.ts': 'const kept: unknown[] = []\nfor (;;) kept.push(new Array(1e6).fill(kept.length))',
      }
      void harness.run({ files, seconds: 60 }).then(async ({ outcome }) => {
        await fetch(`/told?${outcome.status}`)
        const after = await harness.run({ files: { 'main.ts': "console.log('still here')" } })
        await fetch(`/told?${after.lines.map((line) => line.text).join()}`)
      })
    })
    const told = () =>
      app.requests.map(({ path }) => decodeURIComponent(path)).filter((path) => path.startsWith('/told'))
    await expect.poll(told, { timeout: 90_000 }).toEqual(['/told?crashed', '/told?still here'])
  })

  test('when the program throws, forgets a promise, or ends its own timers badly', async ({ run }) => {
    const thrown = await run({
      files: {
        'main.ts': "import { f } from './f'\nf()",
        'f.ts': 'interface A {\n  a: 1\n}\nexport function f(): A {\n  throw new TypeError("bad step")\n}',
      },
    })
    expect(thrown.outcome).toMatchObject({
      status: 'failed',
      error: { file: 'f.ts', line: 5, message: 'TypeError: bad step' },
    })
    const loose = await run(
      'void (async () => { throw new Error("loose") })()\nawait new Promise((go) => setTimeout(go, 5000))',
    )
    expect(loose.outcome).toMatchObject({ status: 'failed', error: { message: 'loose', line: 1 } })
    const timer = await run(
      'setTimeout(() => { throw new Error("late") }, 10)\nawait new Promise((go) => setTimeout(go, 5000))',
    )
    expect(timer.outcome).toMatchObject({ status: 'failed', error: { line: 1 } })
    const syntax = await run('const a = 1\nlet b = = 2')
    expect(syntax.outcome).toMatchObject({ status: 'failed', error: { file: 'main.ts', line: 2 } })
    const late = await run('const a = 1\n\nconst a = 2')
    expect(late.outcome).toMatchObject({ status: 'failed', error: { file: 'main.ts', line: 3 } })
  })
})

test.describe('what is handed over', () => {
  test.beforeEach(({ pageErrors }) => pageErrors.allow(/never/))
  const submission = (lines: string) =>
    `import { data, submit, tf, victim } from 'lab'\nconst { ids, x, y } = await data.sample()\n${lines}`
  for (const [name, lines, message] of [
    ['NaN', 'await submit({ ids, x: tf.div(tf.zerosLike(x), 0) })', 'finite numbers; got NaN in row 0'],
    ['a wrong shape', 'await submit({ ids, x: tf.zeros([3, 28, 28, 1]) })', 'one row for each of the 4 ids'],
    ['a wrong dtype', "await submit({ ids, x: tf.cast(x, 'int32') })", 'float32 tensor; got an Int32Array'],
    ['no tensor', 'await submit({ ids, x: [1, 2] as never })', 'x must be a tensor; got a list of 2'],
    [
      'a detached buffer',
      'const values = (await x.data()) as Float32Array\nstructuredClone(values, { transfer: [values.buffer as ArrayBuffer] })\nawait submit({ ids, x: tf.tensor(values, x.shape) })',
      'should have 3136 values but has 0',
    ],
    [
      'a polluted prototype',
      'Object.assign(Object.prototype, { ids: [0], x })\nawait submit({} as never)',
      'x must be a tensor',
    ],
    ['a second time', 'await submit({ ids, x })\nawait submit({ ids, x })', 'hands in once'],
  ] as const) {
    test(`${name} is refused with a clear error at the learner’s line`, async ({ run }) => {
      const { outcome } = await run(submission(lines))
      expect(outcome).toMatchObject({
        status: 'failed',
        error: { file: 'main.ts', line: 2 + lines.split('\n').length },
      })
      expect((outcome as { error: { message: string } }).error.message).toContain(message)
    })
  }

  test('a spent budget refuses before answering', async ({ run }) => {
    const { outcome, ledger, lines } = await run({
      files: {
        'main.ts': submission(
          "await victim.logits(x)\nconsole.log('answered')\nawait victim.logits(x)\nconsole.log('cheated')",
        ),
      },
      maxQueries: 5,
    })
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'budget-spent', file: 'main.ts', line: 5 },
    })
    expect(lines.map((line) => line.text)).toEqual(['answered'])
    expect(ledger).toMatchObject({ rows: { logits: 4 }, refused: 1 })
  })

  test('what the lab does not grant is refused by the engine, not only by the runtime', async ({
    page,
    run,
  }) => {
    void run
    const replies = await page.evaluate(() =>
      (window as unknown as { harness: Harness }).harness.hostileRequests(),
    )
    expect(replies.filter((reply) => 'value' in reply)).toEqual([])
    expect(replies.map((reply) => ('error' in reply ? reply.error.code : ''))).not.toContain('unavailable')
  })
})

test('@http works over plain http on a name that is not localhost', async ({ run, page }) => {
  expect(await page.evaluate(() => isSecureContext)).toBe(false)
  const result = await run(
    "import { data, tf } from 'lab'\nconst { x } = await data.sample(1)\nconsole.log(tf.sum(tf.zerosLike(x)))",
  )
  expect(result.outcome.status).toBe('finished')
  expect(texts(result)).toEqual(['Tensor () float32 0'])
})

test('draws the same random numbers for the same seed', async ({ run }) => {
  const program =
    "import { tf } from 'lab'\nconsole.log(tf.randomNormal([3]), tf.randomUniform([2]), Math.random())"
  const first = texts(await run({ files: { 'main.ts': program }, seed: 4 }))
  expect(texts(await run({ files: { 'main.ts': program }, seed: 4 }))).toEqual(first)
  expect(texts(await run({ files: { 'main.ts': program }, seed: 5 }))).not.toEqual(first)
})
