/** "a minute ago", "today 21:40", "yesterday 21:40", "12 November": how long ago, for people. */
export function whenInWords(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`
  const [date, today] = [new Date(then), new Date(now)]
  const clock = `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`
  if (date.toDateString() === today.toDateString()) return `today ${clock}`
  today.setDate(today.getDate() - 1)
  if (date.toDateString() === today.toDateString()) return `yesterday ${clock}`
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })
}
