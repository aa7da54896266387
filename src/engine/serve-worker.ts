import { PerturbError } from '../core/errors.ts'
import type { FetchBytes } from '../core/backends.ts'
import { createDispatcher } from './dispatch.ts'
import type { FromWorker, ToWorker } from './protocol.ts'
import { createWorkshop, type Workshop } from './workshop.ts'

/** Makes the current worker answer calls; the first message tells where the app's files lie. */
export function serveWorker(role: Workshop['role']): void {
  const scope = self as unknown as DedicatedWorkerGlobalScope
  const post = (message: FromWorker, transfer: Transferable[] = []) => scope.postMessage(message, transfer)
  let dispatcher: ReturnType<typeof createDispatcher> | undefined
  scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.type === 'hello') {
      const emit = (name: string, value: unknown) => post({ type: 'event', name, value })
      dispatcher = createDispatcher(
        createWorkshop({ role, fetchBytes: fetchBelow(data.base), base: new URL('.', data.base).href, emit }),
        post,
      )
    } else dispatcher?.handle(data)
  }
}

/** Bytes of a file of the app, from its own origin and folder only. Throws `missing`, naming the file. */
export function fetchBelow(base: string): FetchBytes {
  const root = new URL('.', base)
  return async (path) => {
    const url = new URL(path, root)
    if (!url.href.startsWith(root.href)) throw new PerturbError('missing', `${path}: not a file of this app`)
    let response: Response
    try {
      response = await fetch(url, { redirect: 'error' })
    } catch (error) {
      throw new PerturbError(
        'missing',
        `${path}: could not be fetched; check the connection to ${root.host || 'the app'} and reload`,
        { cause: error },
      )
    }
    if (!response.ok)
      throw new PerturbError(
        'missing',
        `${path}: the server answered ${response.status}; check that the copy of the app is whole`,
      )
    return new Uint8Array(await response.arrayBuffer())
  }
}
