/** The engine: the learner's own GPU, or the next best. */
import { serveWorker } from './serve-worker.ts'

serveWorker('engine')
