import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
import * as tf from '@tensorflow/tfjs-core'
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-webgl'
import '@tensorflow/tfjs-backend-webgpu'
import { threadScript } from 'virtual:perturb/tfjs-thread-script'
import { nameOf, offer, type Prepare } from './workload.ts'

/** `stock.html#threads`: a thread for each two cores, where the page is isolated; they run what ours do. */
const threads = location.hash === '#threads' ? Math.floor(navigator.hardwareConcurrency / 2) : 1

const files = import.meta.glob<Prepare>('./workloads/*.stock.ts', { import: 'prepare', eager: true })

offer(
  tf,
  async (backend) => {
    if (backend === 'wasm') {
      const binaries = new URL('wasm/', document.baseURI).href
      setWasmPaths(binaries)
      if (threads > 1) {
        setThreadsCount(threads)
        threadScript.address = `${binaries}tfjs-backend-wasm-threaded-simd.js`
      }
    }
    if (!(await tf.setBackend(backend))) throw new Error(`tfjs could not start ${backend}`)
    await tf.ready()
    if (threads > 1 && getThreadsCount() !== threads)
      throw new Error(`tfjs starts ${getThreadsCount()} of ${threads} threads`)
  },
  Object.fromEntries(
    Object.entries(files).map(([path, prepare]) => [nameOf(path), { title: nameOf(path), prepare }]),
  ),
)
