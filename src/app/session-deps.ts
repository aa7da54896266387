import { PerturbError } from '../core/errors.ts'
import { loadLab } from '../labs/loader.ts'
import { runProgram } from '../sandbox/run-program.ts'
import { engine } from './engine.svelte.ts'
import { exportEvidence } from './evidence-file.ts'
import type { SessionDeps } from './lab-session.svelte.ts'
import { offerFile } from './offer-file.ts'
import { settings } from './settings.svelte.ts'
import { store } from './store.svelte.ts'

const wasmFile = 'wasm/tfjs-backend-wasm-simd.wasm'
let wasm: Promise<ArrayBuffer> | undefined

/** The app's own engine, referee, store and sandbox, for the lab page. */
export const sessionDeps: SessionDeps = {
  engine: engine.client,
  referee: engine.referee,
  store,
  load: loadLab,
  runProgram,
  wasmBytes() {
    wasm ??= fetchWasm().catch((error: unknown) => {
      wasm = undefined
      throw error
    })
    return wasm
  },
  async exportEvidence(record) {
    const only = { all: async () => [record], importRecords: async () => undefined }
    const { name, bytes } = await exportEvidence(only, settings.learner)
    offerFile(name, bytes)
  },
  async startEngine({ assets }) {
    const model = assets.find((asset) => asset.startsWith('models/'))?.slice('models/'.length)
    const report = await engine.start(model)
    // The story is being read; nobody waits for this.
    if (model) void engine.warm(model)
    return report
  },
}

async function fetchWasm(): Promise<ArrayBuffer> {
  const response = await fetch(new URL(wasmFile, document.baseURI))
  if (!response.ok) {
    throw new PerturbError(
      'missing',
      `${wasmFile}: the server answered ${response.status}; check that the copy of the app is whole`,
    )
  }
  return response.arrayBuffer()
}
