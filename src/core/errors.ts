/**
 * Every error a caller may want to tell apart. Messages follow one voice:
 * what, expected, got, next. A learner reads them; a test matches on `code`.
 */
export type ErrorCode =
  | 'bad-input' // an argument has the wrong shape, type, range or is not finite
  | 'budget-spent' // a query ledger refused before answering
  | 'cancelled' // the caller's signal fired
  | 'deadline' // a run outlived its allowance and was stopped
  | 'checksum' // a file of the app does not have the bytes it was shipped with
  | 'missing' // a file, lab, model or checkpoint of that name does not exist
  | 'device-lost' // the backend went away in the middle of a computation
  | 'unreadable' // a bundle or data file cannot be understood
  | 'unavailable' // we could not measure; never the learner's fault
  | 'flood' // a program sent more messages or output than is relayed
  | 'learner-error' // the learner's own program threw

export class PerturbError extends Error {
  override readonly name = 'PerturbError'
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Errors cross workers as plain data: structured clone would drop `code`. */
export interface PlainError {
  code: ErrorCode
  message: string
  /** Stack of the place that threw, for a console; never shown as the message. */
  stack?: string
}

export function toPlainError(error: unknown): PlainError {
  if (error instanceof PerturbError) return { code: error.code, message: error.message, stack: error.stack }
  if (error instanceof Error) {
    const code: ErrorCode = error.name === 'AbortError' ? 'cancelled' : 'unavailable'
    return { code, message: error.message, stack: error.stack }
  }
  return { code: 'unavailable', message: String(error) }
}

export function fromPlainError(plain: PlainError): PerturbError {
  const error = new PerturbError(plain.code, plain.message)
  if (plain.stack) error.stack = plain.stack
  return error
}
