/**
 * What crosses between a learner's program (in the sandbox's worker) and the engine, over one
 * MessagePort. The program's side is untrusted: `src/engine/capabilities.ts` checks every field.
 */

/** Program → engine. One request in flight per capability method. */
export interface CapabilityRequest {
  id: number
  /** E.g. `victim.logits`; see `capabilities.ts` for all of them. */
  capability: string
  args: unknown[]
}

/** Engine → program. The ledger's figures come with answers and refusals alike. */
export type CapabilityReply =
  | { id: number; value: unknown; ledger: LedgerFigures }
  | { id: number; error: { code: string; message: string }; ledger: LedgerFigures }

/** Rows answered so far, and how many may be. */
export interface LedgerFigures {
  used: number
  max: number
}

/** A tensor on the wire, row-major. */
export interface WireTensor {
  shape: number[]
  dtype: 'float32' | 'int32'
  values: Float32Array | Int32Array
}
