import { article } from '../parts/numbers.ts'

/** The headline as runs of text: figures carry their role, so that the page can set them apart. */
export type Run = { text: string; role?: 'read' | 'epsilon' | 'misread' }

export type Bench =
  | { state: 'blank' }
  | { state: 'starting' }
  | { state: 'unavailable' }
  | { state: 'not-a-digit' }
  | { state: 'read'; own: boolean; before: number; after: number; truth: number; epsilon: number }

/** "This is a 3. One step of 0.08, and it is an 8." Of a drawing it says what is read, since only the visitor knows. */
export function headline(bench: Bench): Run[] {
  if (bench.state === 'not-a-digit') return [{ text: 'Not a digit yet. Keep drawing.' }]
  if (bench.state === 'unavailable') return [{ text: 'The reader could not start.' }]
  if (bench.state !== 'read') return [{ text: 'Draw a digit. Then nudge it.' }]
  const { own, before, after, truth, epsilon } = bench
  if (!own && before !== truth) {
    return [
      { text: `This is ${article(truth)} ` },
      { text: String(truth), role: 'read' },
      { text: `, and without any step it is read as ${article(before)} ` },
      { text: String(before), role: 'misread' },
      { text: '.' },
    ]
  }
  const verb = own ? 'It reads' : 'This is'
  const start: Run[] = [
    { text: `${verb} ${article(before)} ` },
    { text: String(before), role: 'read' },
    { text: '. ' },
  ]
  if (epsilon === 0) return [...start, { text: 'Now take one step.' }]
  const flipped = after !== before
  const again = own ? (flipped ? 'it reads' : 'it still reads') : flipped ? 'it is' : 'it is still'
  return [
    ...start,
    { text: 'One step of ' },
    { text: stepText(epsilon), role: 'epsilon' },
    { text: `, and ${again} ${article(after)} ` },
    { text: String(after), role: flipped ? 'misread' : 'read' },
    { text: '.' },
  ]
}

export const spoken = (runs: readonly Run[]) => runs.map(({ text }) => text).join('')

/** Two digits after the point, three where the third says something: never rounded across a reading. */
export function stepText(epsilon: number): string {
  const three = epsilon.toFixed(3)
  return three.endsWith('0') ? three.slice(0, -1) : three
}

/** How large the change is, in words that a screen's grey levels can be checked against. */
export function sizeInWords(epsilon: number): string {
  const levels = Math.round(epsilon * 255)
  const seen =
    epsilon === 0
      ? 'Nothing has changed.'
      : epsilon < 0.1
        ? 'Most people would call it the same picture.'
        : epsilon < 0.2
          ? 'You can see it if you look.'
          : 'Now anyone can see it.'
  return `No pixel moved more than ${levels} of 255 grey levels. ${seen}`
}
