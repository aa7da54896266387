/**
 * WebGPU in Node, by the package `webgpu` (Dawn, a prebuilt binary for each system, some 20 MB): no dependency
 * of this project. Who wants to measure or check on a graphics device without a browser installs it:
 * npm install --no-save webgpu
 */
const name = 'webgpu'

interface WebgpuPackage {
  create(options: string[]): object
  globals: object
}

/**
 * Makes navigator.gpu and the GPU… classes exist, as a browser has them. Throws with what to type when the
 * package is missing.
 */
export async function provideWebgpu(): Promise<void> {
  let found: WebgpuPackage
  try {
    found = (await import(/* @vite-ignore */ name)) as WebgpuPackage
  } catch (error) {
    throw new Error(
      'WebGPU in Node needs the package webgpu, which is not installed; npm install --no-save webgpu',
      { cause: error },
    )
  }
  Object.assign(globalThis, found.globals)
  const gpu = found.create([])
  const navigator = (globalThis as { navigator?: object }).navigator ?? {}
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
}
