/**
 * The wall: an iframe of opaque origin with a policy that allows one inline script (by hash), blob workers
 * and WebAssembly, and nothing else: no network, no images, no styles, no forms, no navigation.
 */

/** What the frame's document is; it also inherits the page's own policy, so both must allow the script. */
export function frameDocument(script: string, scriptHash: string): string {
  const policy = [
    "default-src 'none'",
    `script-src '${scriptHash}' 'wasm-unsafe-eval'`,
    'worker-src blob:',
    "connect-src 'none'",
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; ')
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>Sandbox</title><script>${script}</script>`
}

export interface SandboxFrame {
  /** The frame's end of the wire; silent until `start`. */
  readonly port: MessagePort
  /** Posts the start message with the ports it needs. */
  start(message: unknown, engine: MessagePort): void
  /** Removes the frame, and with it the worker and whatever it was doing. */
  remove(): void
}

/** Resolves once the frame's document has loaded. One frame serves one run. */
export async function openFrame(
  script: string,
  scriptHash: string,
  signal: AbortSignal,
): Promise<SandboxFrame> {
  const element = document.createElement('iframe')
  element.setAttribute('sandbox', 'allow-scripts')
  element.setAttribute('aria-hidden', 'true')
  element.referrerPolicy = 'no-referrer'
  element.tabIndex = -1
  element.title = 'Sandbox'
  // One invisible pixel inside the window: browsers slow the timers of frames that are not shown.
  element.style.cssText =
    'position:fixed;right:0;bottom:0;width:1px;height:1px;border:0;opacity:0;pointer-events:none'
  element.srcdoc = frameDocument(script, scriptHash)
  const remove = () => element.remove()
  signal.addEventListener('abort', remove, { once: true })
  await new Promise<void>((resolve, reject) => {
    element.addEventListener('load', () => resolve(), { once: true })
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    document.body.append(element)
  })
  const { port1, port2 } = new MessageChannel()
  return {
    port: port1,
    // An opaque origin has no name to address, hence '*'; only this very window receives it.
    start: (message, engine) => element.contentWindow?.postMessage(message, '*', [port2, engine]),
    remove() {
      port1.close()
      remove()
    },
  }
}
