import type { Finding } from './verdict.ts'

/**
 * A named finding. Voice: plain, exact, dry. `title` says what happened in one sentence, `cause` says it
 * in the run's own numbers, `next` begins with the one thing to do.
 */
export function finding(id: string, title: string, cause: string, next: string): Finding {
  return { id, title, cause, next: next.startsWith('Next: ') ? next : `Next: ${next}` }
}

/** The first suspicion that holds; put the surest first. */
export function firstFinding(suspicions: readonly (Finding | false | undefined)[]): Finding | undefined {
  return suspicions.find((suspicion) => suspicion !== false && suspicion !== undefined) as Finding | undefined
}

/** A share (0..1) in whole per cent, never rounded onto 0 or 100 from beside it. */
export function percent(share: number): string {
  const rounded = Math.round(share * 100)
  if (rounded === 100 && share < 1) return 'over 99 %'
  if (rounded === 0 && share > 0) return 'under 1 %'
  return `${rounded} %`
}

/** A number with as many digits as it takes to see it: 0.25, 0.001, 4.6. */
export function figure(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e5) return value.toExponential(1)
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)))
}

/** "1 digit", "5 digits". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
