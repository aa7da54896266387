import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import sirv from 'sirv'

/** One request as the server saw it: what reached the network, whatever the page believes. */
export interface SeenRequest {
  method: string
  /** Path and query. */
  path: string
  host: string
}

export interface Site {
  /** With a host name that a browser can open, no slash at the end. */
  address: string
  port: number
  close(): Promise<void>
}

export interface ServeOptions {
  /** Interface to listen on; 127.0.0.1 is this machine only. */
  host?: string
  /** 0 asks the system for a free one. */
  port?: number
  /** False: when the port is taken, try the next ones. */
  strictPort?: boolean
  onRequest?(request: SeenRequest): void
  /** With the headers (COOP, COEP) by which a page gets shared memory, and so threads. */
  isolated?: boolean
  /** Answers instead of the folder when it returns true; tests use it to serve damaged files. */
  intercept?(path: string, respond: (status: number, body: Uint8Array, type: string) => void): boolean
}

/** Vite names what it hashes `assets/<name>-<8 characters>.<extension>`; only those never change. */
const hashed = /\/assets\/[^/]+-[\w-]{8}\.\w+$/
const portsTried = 20

/**
 * Serves a built app as any static host would: right types, nothing hash-less cached without asking,
 * and unless asked no COOP or COEP (a page inside an LMS' frame cannot have them).
 * Throws an Error that says what to do when the port is taken.
 */
export async function serve(folder: string, options: ServeOptions = {}): Promise<Site> {
  const { host = '127.0.0.1', port = 0, strictPort = true, onRequest, isolated = false, intercept } = options
  const files = sirv(folder, {
    // Reads the folder at each request, so a rebuilt app is served without a restart.
    dev: true,
    etag: true,
    dotfiles: false,
    setHeaders: (response, path) => {
      response.setHeader(
        'Cache-Control',
        hashed.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
      )
      response.setHeader('X-Content-Type-Options', 'nosniff')
      if (!isolated) return
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    },
  })
  const server = createServer((request, response) => {
    onRequest?.(seen(request))
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end()
      return
    }
    const path = new URL(request.url ?? '/', 'http://x').pathname
    const answered = intercept?.(path, (status, body, type) => {
      response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.byteLength }).end(body)
    })
    if (answered) return
    files(request, response, () => {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end(`nothing is served at ${path}\n`)
    })
  })
  await listen(server, host, port, strictPort)
  const bound = (server.address() as AddressInfo).port
  return {
    address: `http://${nameOf(host)}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve, reject) => {
        server.closeAllConnections()
        server.close((error) => (error ? reject(error) : resolve()))
      }),
  }
}

async function listen(server: Server, host: string, port: number, strictPort: boolean) {
  const last = strictPort || port === 0 ? port : port + portsTried - 1
  for (let candidate = port; candidate <= last; candidate++) {
    try {
      return await listenOnce(server, host, candidate)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EADDRINUSE' && candidate < last) continue
      throw new Error(explain(code, host, port, last), { cause: error })
    }
  }
}

function listenOnce(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Why a server cannot listen there, and what to do. `last`: the last port tried. */
export function explain(code: string | undefined, host: string, port: number, last = port): string {
  if (code === 'EADDRINUSE') {
    return last > port
      ? `the ports ${port} to ${last} are all in use; choose another with \`-- --port NUMBER\``
      : `port ${port} is in use by another program; stop that program, or choose another port with \`-- --port ${port + 1}\``
  }
  if (code === 'EACCES')
    return `this account may not open port ${port}; ports from 1024 up need no rights, e.g. \`-- --port 8080\``
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `this machine has no address "${host}"; use --host 0.0.0.0 for every address it has, or leave --host out for this machine only`
  }
  return `cannot listen on ${host}:${port} (${code ?? 'unknown reason'})`
}

function nameOf(host: string): string {
  if (host === '127.0.0.1' || host === '0.0.0.0' || host === '::' || host === '::1') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function seen(request: IncomingMessage): SeenRequest {
  return { method: request.method ?? '', path: request.url ?? '', host: request.headers.host ?? '' }
}
