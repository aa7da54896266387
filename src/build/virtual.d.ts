/** Modules that the plugins in this folder make. */
declare module 'virtual:perturb/checksums' {
  /** sha256 in hex by path below static/, e.g. "data/mnist10k/train.png"; from the SHA256SUMS files. */
  const checksums: Readonly<Record<string, string>>
  export default checksums
}
declare module 'virtual:perturb/simd-kernels' {
  /** src/core/kernels/simd.as, compiled. */
  const bytes: Uint8Array
  export default bytes
}
declare module 'virtual:perturb/simd-kernels-shared' {
  /** The same for a heap in shared memory. */
  const bytes: Uint8Array
  export default bytes
}
declare module 'virtual:perturb/tfjs-thread-script' {
  /** Absolute address of what tfjs' WASM threads run, to be set before they start: see src/build/tfjs-threads.ts. */
  export const threadScript: { address: string }
}
declare module 'virtual:perturb/sandbox-runtime' {
  /** The classic (IIFE) text that runs inside the sandbox's worker, before the learner's program. */
  const text: string
  export default text
  /** The inline script of the sandbox's frame, and its `sha256-…` for a Content-Security-Policy. */
  export const frameScript: string
  export const frameScriptHash: string
}
declare module 'virtual:perturb/learner-types' {
  /** `declare module 'lab' { … }`, made from src/lab-api/learner.ts. */
  const text: string
  export default text
}
declare module 'virtual:perturb/widgets' {
  /** Kinds of widget that exist: file names in src/ui/widgets/. */
  const kinds: readonly string[]
  export default kinds
}
declare module '*/guide.md' {
  const guide: import('../labs/guide.ts').Guide
  export default guide
}
