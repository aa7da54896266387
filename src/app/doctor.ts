import type { BackendReport } from '../core/backends.ts'

/** What was found out about this browser, machine and address. Plain data: a test makes its own. */
export interface Facts {
  protocol: string
  hostname: string
  framed: boolean
  secure: boolean
  webgpu: { api: boolean; adapter?: string; fallback?: boolean }
  webgl: { version: 0 | 1 | 2; float: boolean; device?: string }
  wasm: { available: boolean; simd: boolean }
  workers: boolean
  storage: {
    indexedDB: boolean
    problem?: string
    persisted?: boolean
    usedBytes?: number
    quotaBytes?: number
  }
  serviceWorker: 'controls' | 'none' | 'unsupported'
  cores?: number
  memoryGb?: number
  agent: string
}

export interface Finding {
  name: string
  state: 'works' | 'limited' | 'missing'
  found: string
  /** What it means for the labs. */
  meaning: string
  /** What to do, when something can be done. */
  next?: string
}

export interface Rung {
  number: 0 | 1 | 2 | 3 | 4 | 5
  title: string
  works: string
  next?: string
}

/** Which of the five ways of running Perturb this is. */
export function rungOf(facts: Facts): Rung {
  const local = isLoopback(facts.hostname)
  if (facts.protocol === 'file:') {
    return {
      number: 0,
      title: 'Opened from disk',
      works: 'Nothing that needs a worker or a data file: browsers forbid both to pages opened from disk.',
      next: 'Serve the folder: `npm start`, or any static web server on this machine, then open its http://localhost address.',
    }
  }
  if (facts.framed)
    return {
      number: 5,
      title: 'Inside another page, such as a learning platform',
      works:
        'Everything but working offline. Storage may be limited by the outer page’s browser settings: export your evidence before you leave.',
    }
  if (!facts.secure) {
    return {
      number: 4,
      title: 'Plain http on a network address',
      works:
        'Everything but WebGPU and working offline: browsers give those to secure addresses only. Models run on WebGL or WASM.',
      next: 'Ask for an https address, or open Perturb on this machine itself at http://localhost.',
    }
  }
  const works =
    facts.serviceWorker === 'controls'
      ? 'Everything, also without a network.'
      : 'Everything but working offline, which this version does not do.'
  if (local) return { number: 2, title: 'Served from this machine', works }
  if (isPrivate(facts.hostname))
    return {
      number: 3,
      title: 'Https on the local network, such as a classroom machine',
      works: `${works} The browser must trust the certificate.`,
    }
  return { number: 1, title: 'Https on a web host', works }
}

const isLoopback = (host: string) =>
  host === 'localhost' || host.endsWith('.localhost') || /^127\./.test(host) || host === '[::1]'
const isPrivate = (host: string) =>
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)/.test(host) ||
  host.endsWith('.local') ||
  !host.includes('.')

/** Each thing Perturb uses: whether it is there, what that means, what to do. */
export function diagnose(facts: Facts): Finding[] {
  const { wasm, storage } = facts
  return [
    {
      name: 'Secure address',
      state: facts.secure ? 'works' : 'limited',
      found: facts.secure ? 'yes' : `no: ${facts.protocol}//${facts.hostname}`,
      meaning: facts.secure
        ? 'The browser allows WebGPU and lasting storage.'
        : 'The browser hides WebGPU, the clipboard and offline use from this address. This is not a fault of the graphics card.',
      ...(!facts.secure && { next: 'Use https, or http://localhost on this machine.' }),
    },
    webgpuFinding(facts),
    webglFinding(facts),
    {
      name: 'WebAssembly with SIMD',
      state: wasm.available ? (wasm.simd ? 'works' : 'limited') : 'missing',
      found: wasm.available ? (wasm.simd ? 'yes' : 'WebAssembly without SIMD') : 'no',
      meaning: wasm.available
        ? wasm.simd
          ? 'Grading runs here: the same arithmetic on every machine.'
          : 'Grading runs, about three times slower.'
        : 'Nothing can be graded here, and your code cannot run.',
      ...(!wasm.available && {
        next: 'Some security modes switch it off. Allow it for this address, or use another browser.',
      }),
    },
    {
      name: 'Workers',
      state: facts.workers ? 'works' : 'missing',
      found: facts.workers ? 'yes' : 'no',
      meaning: facts.workers ? 'Models run beside the page, which stays quick.' : 'Models cannot run.',
      ...(!facts.workers && {
        next: 'Update this browser, or use a current Chrome, Edge, Firefox or Safari.',
      }),
    },
    {
      name: 'Saved work',
      state: storage.indexedDB ? 'works' : 'missing',
      found: storage.indexedDB
        ? `IndexedDB${storage.usedBytes === undefined ? '' : `, ${megabytes(storage.usedBytes)} of ${megabytes(storage.quotaBytes ?? 0)} used`}`
        : (storage.problem ?? 'refused'),
      meaning: storage.indexedDB
        ? 'Your work is kept on this machine.'
        : 'Your work lasts until this page closes.',
      ...(!storage.indexedDB && {
        next: 'Leave the private window, or allow storage for this address. Until then, export your evidence in the settings.',
      }),
    },
    {
      name: 'Protected from clean-up',
      state: storage.persisted ? 'works' : 'limited',
      found:
        storage.persisted === undefined ? 'cannot be asked here' : storage.persisted ? 'yes' : 'not promised',
      meaning: storage.persisted
        ? 'The browser will not delete your work to make room.'
        : 'When the disk fills up, the browser may delete your work without asking.',
      ...(!storage.persisted && { next: 'Export your evidence now and then.' }),
    },
    {
      name: 'Offline use',
      state: facts.serviceWorker === 'controls' ? 'works' : 'limited',
      found: { controls: 'installed', none: 'not installed', unsupported: 'not possible at this address' }[
        facts.serviceWorker
      ],
      meaning:
        facts.serviceWorker === 'controls'
          ? 'Perturb opens without a network.'
          : 'Each visit fetches the app from its server again.',
    },
    {
      name: 'Processor',
      state: 'works',
      found: `${facts.cores ?? 'unknown number of'} cores${facts.memoryGb === undefined ? '' : `, at least ${facts.memoryGb} GB memory`}`,
      meaning: 'One core draws the page, one computes, one grades.',
    },
  ]
}

function webglFinding({ webgl }: Facts): Finding {
  const name = 'WebGL 2 with 32-bit floats'
  const able = webgl.version === 2 && webgl.float
  const kind =
    webgl.version === 0
      ? 'no WebGL'
      : `WebGL ${webgl.version}${webgl.float ? '' : ', no 32-bit float rendering'}`
  const found = webgl.device ? `${kind}: ${webgl.device}` : kind
  if (!able)
    return {
      name,
      state: 'missing',
      found,
      meaning: 'Not used: gradients would be rounded to zero. WASM takes its place.',
    }
  if (/swiftshader|llvmpipe|softpipe|software|basic render/i.test(webgl.device ?? ''))
    return {
      name,
      state: 'limited',
      found,
      meaning: 'A software renderer: slower than WASM, so it is used only if you choose it.',
    }
  return { name, state: 'works', found, meaning: 'Models can run on the graphics card this way.' }
}

function webgpuFinding({ secure, webgpu }: Facts): Finding {
  const name = 'WebGPU'
  if (!webgpu.api) {
    return secure
      ? {
          name,
          state: 'missing',
          found: 'this browser has none',
          meaning: 'Models run on WebGL or WASM instead.',
          next: 'A current Chrome, Edge, Firefox or Safari has it.',
        }
      : {
          name,
          state: 'missing',
          found: 'hidden, because the address is not secure',
          meaning: 'Models run on WebGL or WASM instead.',
          next: 'Use https, or http://localhost on this machine.',
        }
  }
  if (webgpu.adapter === undefined) {
    return {
      name,
      state: 'missing',
      found: 'no graphics adapter',
      meaning: 'Models run on WebGL or WASM instead.',
      next: 'Switch on hardware acceleration in the browser’s settings and update the graphics driver.',
    }
  }
  if (webgpu.fallback)
    return {
      name,
      state: 'limited',
      found: `${webgpu.adapter}, a software adapter`,
      meaning: 'It would compute on the processor, slower than WASM, so it is used only if you choose it.',
    }
  return { name, state: 'works', found: webgpu.adapter, meaning: 'Models run on the graphics card.' }
}

const megabytes = (bytes: number) =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`

/** The whole page as text, to paste into a message to a teacher. */
export function reportText(
  facts: Facts,
  backend: BackendReport | undefined,
  version: string,
  time: Date,
): string {
  const rung = rungOf(facts)
  return [
    `Perturb ${version}, doctor's report of ${time.toISOString()}`,
    `Address: ${facts.protocol}//${facts.hostname} (rung ${rung.number}: ${rung.title})`,
    `Browser: ${facts.agent}`,
    backend ? `Backend: ${backend.name} on ${backend.device}; ${backend.why}` : 'Backend: not started',
    ...(backend?.probes ?? []).map(
      ({ name, available, reason, ms }) =>
        `  ${name}: ${ms === undefined ? '' : `${ms.toFixed(1)} ms `}${available ? 'usable' : 'not usable'}${reason ? ` (${reason})` : ''}`,
    ),
    ...diagnose(facts).map(({ name, state, found }) => `${name}: ${state} (${found})`),
  ].join('\n')
}

/** Smallest module with a SIMD instruction: i8x16.splat, popcnt. */
const simdModule = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  10,
  1,
  8,
  0,
  65,
  0,
  253,
  15,
  253,
  98,
  11,
)

interface NavigatorGpu {
  requestAdapter(): Promise<{
    info?: {
      vendor?: string
      architecture?: string
      device?: string
      description?: string
      isFallbackAdapter?: boolean
    }
    isFallbackAdapter?: boolean
  } | null>
}

/** Looks at this browser. Never throws: what cannot be asked is reported as missing. */
export async function gatherFacts(): Promise<Facts> {
  const [webgpu, storage] = await Promise.all([askWebGpu(), askStorage()])
  const wasm = typeof WebAssembly !== 'undefined'
  return {
    protocol: location.protocol,
    hostname: location.hostname,
    framed: window.top !== window.self,
    secure: isSecureContext,
    webgpu,
    webgl: askWebGl(),
    wasm: { available: wasm, simd: wasm && WebAssembly.validate(simdModule) },
    workers: typeof Worker !== 'undefined',
    storage,
    serviceWorker: !('serviceWorker' in navigator)
      ? 'unsupported'
      : navigator.serviceWorker.controller
        ? 'controls'
        : 'none',
    cores: navigator.hardwareConcurrency,
    memoryGb: (navigator as { deviceMemory?: number }).deviceMemory,
    agent: navigator.userAgent,
  }
}

async function askWebGpu(): Promise<Facts['webgpu']> {
  const gpu = (navigator as { gpu?: NavigatorGpu }).gpu
  if (!gpu) return { api: false }
  try {
    const adapter = await gpu.requestAdapter()
    if (!adapter) return { api: true }
    const { vendor, architecture, device, description } = adapter.info ?? {}
    return {
      api: true,
      adapter:
        description || [vendor, architecture, device].filter(Boolean).join(' ') || 'an unnamed adapter',
      fallback: adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false,
    }
  } catch {
    return { api: true }
  }
}

function askWebGl(): Facts['webgl'] {
  const canvas = document.createElement('canvas')
  const two = canvas.getContext('webgl2')
  const one = two ? null : canvas.getContext('webgl')
  const context = two ?? one
  if (!context) return { version: 0, float: false }
  const float = two !== null && two.getExtension('EXT_color_buffer_float') !== null
  const unmasked = context.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL
  const device = String(context.getParameter(unmasked ?? context.RENDERER))
  context.getExtension('WEBGL_lose_context')?.loseContext()
  return { version: two ? 2 : 1, float, device }
}

async function askStorage(): Promise<Facts['storage']> {
  const found: Facts['storage'] = { indexedDB: false }
  try {
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.open('perturb-doctor')
      request.onsuccess = () => {
        request.result.close()
        indexedDB.deleteDatabase('perturb-doctor')
        resolve()
      }
      request.onerror = () => reject(request.error ?? new Error('refused'))
      setTimeout(() => reject(new Error('no answer in 3 seconds')), 3000)
    })
    found.indexedDB = true
  } catch (error) {
    found.problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
  try {
    found.persisted = await navigator.storage?.persisted?.()
    const estimate = await navigator.storage?.estimate?.()
    found.usedBytes = estimate?.usage
    found.quotaBytes = estimate?.quota
  } catch {
    found.persisted = undefined // not asked at this address
  }
  return found
}
