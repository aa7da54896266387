import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
import * as tf from '@tensorflow/tfjs-core'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-webgl'
import '@tensorflow/tfjs-backend-webgpu'
import { nameOf, offer, type Prepare } from './workload.ts'

const files = import.meta.glob<Prepare>('./workloads/*.stock.ts', { import: 'prepare', eager: true })

offer(
  tf,
  async (backend) => {
    if (backend === 'wasm') setWasmPaths(new URL('wasm/', document.baseURI).href)
    if (!(await tf.setBackend(backend))) throw new Error(`tfjs could not start ${backend}`)
    await tf.ready()
  },
  Object.fromEntries(
    Object.entries(files).map(([path, prepare]) => [nameOf(path), { title: nameOf(path), prepare }]),
  ),
)
