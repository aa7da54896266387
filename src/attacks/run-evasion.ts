import type { WhiteBoxAccess } from '../core/classifier.ts'
import type { Criterion } from '../core/criteria.ts'
import { QueryLedger } from '../core/ledger.ts'
import { decisionOracle, scoreOracle } from '../core/oracle.ts'
import type { RunContext } from '../core/run.ts'
import type { Tensor } from '../core/tf.ts'
import type { EvasionEntry, EvasionResult, Options } from './attack.ts'

/** Gives an attack the access it asks for, and no more: white-box, scores or decisions. */
export function runEvasion(
  entry: EvasionEntry,
  model: WhiteBoxAccess,
  x: Tensor,
  criterion: Criterion,
  options: Options,
  run: RunContext,
): Promise<EvasionResult> {
  switch (entry.access) {
    case 'white-box':
      return entry.run(model, x, criterion, options, run)
    case 'score':
      return entry.run(scoreOracle(model, new QueryLedger()), x, criterion, options, run)
    case 'decision':
      return entry.run(decisionOracle(model, new QueryLedger()), x, criterion, options, run)
  }
}
