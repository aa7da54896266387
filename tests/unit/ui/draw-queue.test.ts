import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { drawSoon } from '../../../src/ui/parts/draw-queue.ts'

let time = 0
beforeEach(() => {
  time = 0
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.spyOn(performance, 'now').mockImplementation(() => time)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('spreads many drawings over tasks, in order, and loses none', () => {
  const drawn: number[] = []
  for (let i = 0; i < 10; i++)
    drawSoon(() => {
      time += 3
      drawn.push(i)
    })
  expect(drawn).toEqual([])
  vi.advanceTimersToNextTimer()
  expect(drawn).toEqual([0, 1, 2])
  while (vi.getTimerCount() > 0) vi.advanceTimersToNextTimer()
  expect(drawn).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('does not draw what was taken back', () => {
  const drawn: string[] = []
  const takeBack = drawSoon(() => void drawn.push('old'))
  drawSoon(() => void drawn.push('new'))
  takeBack()
  vi.advanceTimersToNextTimer()
  expect(drawn).toEqual(['new'])
  expect(vi.getTimerCount()).toBe(0)
})
