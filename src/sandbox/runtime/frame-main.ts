/**
 * The script of the sandbox's iframe: it has an opaque origin, no network and no storage, starts the
 * learner's worker and stands between it, the page and the engine. Built to a text of its own, whose hash
 * is the only inline script that the page's policy allows.
 */
import type { CapabilityReply, StartMessage } from '../protocol.ts'
import { Relay, rawError } from './relay.ts'

addEventListener('message', function start(event: MessageEvent<StartMessage>) {
  if (event.source !== parent || event.data?.type !== 'start') return
  removeEventListener('message', start)
  const [page, engine] = event.ports
  if (!page || !engine) return
  const { workerText, init } = event.data

  const url = URL.createObjectURL(new Blob([workerText], { type: 'text/javascript' }))
  const worker = new Worker(url)
  const { port1: program, port2 } = new MessageChannel()
  const relay = new Relay(init.limits, {
    toPage: (message) => page.postMessage(message),
    toEngine: (request) => engine.postMessage(request),
    toWorker: (answer) => program.postMessage(answer),
    terminate() {
      worker.terminate()
      program.close()
      engine.close()
      clearInterval(timer)
    },
    now: () => performance.now(),
  })
  const timer = setInterval(() => relay.flush(), 100)

  program.onmessage = ({ data }) => relay.fromWorker(data)
  program.onmessageerror = () => relay.strayMessage()
  worker.onmessage = () => relay.strayMessage()
  worker.onmessageerror = () => relay.strayMessage()
  worker.onerror = (error) => {
    error.preventDefault()
    const message = error.message || 'the worker could not be started'
    relay.fail(rawError({ message, line: error.lineno, column: error.colno }))
  }
  engine.onmessage = ({ data }: MessageEvent<CapabilityReply>) => relay.fromEngine(data)
  page.onmessage = () => page.postMessage({ type: 'pong', waitedMs: relay.waitedMs })

  worker.postMessage(init, [port2, ...(init.wasm ? [init.wasm] : [])])
  URL.revokeObjectURL(url)
})
