/** Position of the largest value; the first of equals. −1 when there is none. */
export function topOf(values: ArrayLike<number>): number {
  let top = -1
  for (let i = 0; i < values.length; i++) if (top < 0 || values[i]! > values[top]!) top = i
  return top
}

/** Probabilities of logits, for display only: grading never uses Math.exp. */
export function softmaxOf(logits: ArrayLike<number>): number[] {
  const all = Array.from(logits)
  const top = Math.max(...all)
  const powers = all.map((value) => Math.exp(value - top))
  const total = powers.reduce((sum, value) => sum + value, 0)
  return powers.map((value) => value / total)
}

/** "a 3", "an 8": the article a digit or word takes. */
export function article(word: string | number): 'a' | 'an' {
  const text = String(word)
  return /^(8|11(?!\d)|18(?!\d)|[aeiou])/i.test(text) ? 'an' : 'a'
}
export const withArticle = (word: string | number) => `${article(word)} ${word}`

/** "1,234": thousands for people. */
// A whole number without Intl, which takes tens of milliseconds to begin with, just when a run starts.
export const grouped = (value: number) =>
  Number.isInteger(value) && Math.abs(value) < 1e21
    ? String(value).replace(/\B(?=(\d{3})+$)/g, ',')
    : value.toLocaleString('en-GB')

/** A share in whole percent that never says 100 or 0 of what is only nearly so. */
export function percent(share: number): string {
  const whole = Math.round(share * 100)
  if (whole === 100 && share < 1) return '> 99 %'
  if (whole === 0 && share > 0) return '< 1 %'
  return `${whole} %`
}
