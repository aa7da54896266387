import { execFileSync } from 'node:child_process'

export interface Torch {
  python: string
  version: string
}

/** PyTorch of `python3`, or of the program that PERTURB_PYTHON names; nothing where there is none. */
export function findTorch(): Torch | undefined {
  const python = process.env.PERTURB_PYTHON ?? 'python3'
  try {
    const version = execFileSync(python, ['-c', 'import torch; print(torch.__version__)'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return { python, version: version.trim() }
  } catch {
    return undefined
  }
}
