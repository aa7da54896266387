import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { drawSoon } from '../../../src/ui/parts/draw-queue.ts'

let time = 0
let frames: (() => void)[] = []
const nextFrame = () => frames.splice(0).forEach((frame) => frame())

beforeEach(() => {
  time = 0
  frames = []
  vi.stubGlobal('requestAnimationFrame', (frame: () => void) => frames.push(frame))
  vi.spyOn(performance, 'now').mockImplementation(() => time)
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

test('spreads many drawings over frames, in order, and loses none', () => {
  const drawn: number[] = []
  for (let i = 0; i < 10; i++)
    drawSoon(() => {
      time += 3
      drawn.push(i)
    })
  expect(drawn).toEqual([])
  nextFrame()
  expect(drawn).toEqual([0, 1, 2])
  while (frames.length > 0) nextFrame()
  expect(drawn).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('does not draw what was taken back', () => {
  const drawn: string[] = []
  const takeBack = drawSoon(() => void drawn.push('old'))
  drawSoon(() => void drawn.push('new'))
  takeBack()
  nextFrame()
  expect(drawn).toEqual(['new'])
  expect(frames).toHaveLength(0)
})
