import type { AttackBench } from '../../../app/attack-bench.svelte.ts'
import { softmaxOf, withArticle } from '../../parts/numbers.ts'

/** The reading in one sentence: the sentence is the display. */
export function readingOf(bench: AttackBench): string {
  const { picture, subject } = bench
  if (!picture || !subject) return ''
  const chances = softmaxOf(picture.logitsAfter)
  const read = picture.readAfter[0]!
  const percent = (digit: number) => `${((chances[digit] ?? 0) * 100).toFixed(0)}\u00a0%`
  const before = picture.readBefore[0]!
  if (subject.truth !== before) {
    return `The reader got this one wrong before any change: ${withArticle(subject.truth)} that it reads as ${withArticle(before)}.`
  }
  if (bench.goal === 'class') {
    if (read === bench.target) return `It reads the ${read} you asked for, at ${percent(read)}.`
    const asked = `the ${bench.target} you asked for stands at ${percent(bench.target)}`
    return read === subject.truth
      ? `Still ${withArticle(read)}, at ${percent(read)}; ${asked}.`
      : `It reads ${withArticle(read)}, at ${percent(read)}; ${asked}.`
  }
  return read === subject.truth
    ? `Still ${withArticle(read)}, at ${percent(read)}.`
    : `The reader now sees ${withArticle(read)}, at ${percent(read)}.`
}
