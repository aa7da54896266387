import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { provideWebgpu } from '../node-webgpu.ts'
import { machineWords, today } from './machine.ts'
import type { Report } from './report.ts'
import { measureRows } from './rows.ts'
import { programSide, type Side } from './sides.ts'
import { findTorch } from './torch.ts'

/**
 * Our modules and stock tfjs on WebGPU in two Node processes, and PyTorch on the same graphics device and on one
 * thread of the processor. `folder` holds what buildPrograms built.
 */
export async function benchOnGpu(
  folder: string,
  options: { rounds: number; wanted(name: string): boolean; say(line: string): void },
): Promise<Report> {
  const device = await adapterWords()
  const torch = findTorch()
  options.say(torch ? `PyTorch ${torch.version}` : 'no PyTorch: python3 has no torch; its columns stay empty')
  const inNode = (side: string) =>
    programSide(process.execPath, [join(folder, 'node-side.js'), join(folder, `${side}.js`)], folder)
  const inPython = () => programSide(torch!.python, [join(folder, 'torch_side.py')], folder)
  const sides: { name: string; side: Side; backend: string }[] = [
    { name: 'ours', side: inNode('ours'), backend: 'webgpu' },
    { name: 'stock', side: inNode('stock'), backend: 'webgpu' },
  ]
  if (torch) {
    sides.push({ name: 'torch', side: inPython(), backend: 'cuda' })
    sides.push({ name: 'torchCpu', side: inPython(), backend: 'cpu' })
  }
  try {
    const workloads = await measureRows(sides, { ...options, backend: 'webgpu', heavy: true })
    return {
      date: today(),
      commit: readFileSync(join(folder, 'commit.txt'), 'utf8'),
      machine: machineWords(),
      device: `${device}, WebGPU in Node (Dawn), no browser`,
      torch: torch?.version,
      workloads,
      growth: [],
      app: [],
    }
  } finally {
    for (const { side } of sides) await side.close()
  }
}

async function adapterWords(): Promise<string> {
  await provideWebgpu()
  const { gpu } = navigator as unknown as {
    gpu: { requestAdapter(): Promise<{ info: Record<string, string> } | null> }
  }
  const adapter = await gpu.requestAdapter()
  if (!adapter) throw new Error('WebGPU: no adapter here; is there a graphics driver with Vulkan?')
  const { vendor, architecture, device, description } = adapter.info
  return [vendor, architecture, device, description].filter(Boolean).join(', ')
}
