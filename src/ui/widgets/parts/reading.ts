import type { AttackBench } from '../../../app/attack-bench.svelte.ts'
import { className, classWords } from '../../parts/naming.ts'
import { softmaxOf } from '../../parts/numbers.ts'

/** The reading in one sentence: the sentence is the display. */
export function readingOf(bench: AttackBench): string {
  const { picture, subject, naming } = bench
  if (!picture || !subject) return ''
  const chances = softmaxOf(picture.logitsAfter)
  const read = picture.readAfter[0]!
  const words = (index: number) => classWords(naming, index)
  const percent = (index: number) => `${((chances[index] ?? 0) * 100).toFixed(0)}\u00a0%`
  const before = picture.readBefore[0]!
  if (subject.truth !== before) {
    return `The model got this one wrong before any change: ${words(subject.truth)} that it reads as ${words(before)}.`
  }
  if (bench.goal === 'class') {
    const wanted = className(naming, bench.target)
    if (read === bench.target) return `It reads the ${wanted} you asked for, at ${percent(read)}.`
    const asked = `the ${wanted} you asked for stands at ${percent(bench.target)}`
    return read === subject.truth
      ? `Still ${words(read)}, at ${percent(read)}; ${asked}.`
      : `It reads ${words(read)}, at ${percent(read)}; ${asked}.`
  }
  return read === subject.truth
    ? `Still ${words(read)}, at ${percent(read)}.`
    : `The model now sees ${words(read)}, at ${percent(read)}.`
}
