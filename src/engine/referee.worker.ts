/** The referee: always WASM, one thread, so that a verdict is the same everywhere. */
import { serveWorker } from './serve-worker.ts'

serveWorker('referee')
