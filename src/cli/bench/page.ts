/** What went through the queue of a WebGPU device. */
export interface GpuTraffic {
  dispatches: number
  submits: number
  uploads: number
  uploadedBytes: number
  readBacks: number
}

/** What one side of the comparison (our modules, stock tfjs, PyTorch) answers to the command. */
export interface BenchPage {
  titles(): Promise<Record<string, WorkloadTitle>>
  /** Throws with the reason when the backend cannot be had. */
  start(backend: string): Promise<void>
  prepare(name: string): Promise<void>
  /** Milliseconds of one go. */
  time(name: string): Promise<number>
  /** One more go, not timed: what it leaves behind, and what it asked of a WebGPU device. */
  look(name: string): Promise<{ tensors: number; traffic?: GpuTraffic }>
  growths(): Promise<string[]>
  /** One line of the growth plot, each size's fastest of the rounds. */
  growth(name: string, rounds: number): Promise<GrowthLine>
}

export interface WorkloadTitle {
  title: string
  budgetMs?: Partial<Record<string, number>>
  heavy?: boolean
}

export interface GrowthLine {
  title: string
  unit: string
  /** Size and milliseconds. */
  points: [number, number][]
}
