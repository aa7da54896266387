import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync(new URL('../../../src/ui/theme/tokens.css', import.meta.url), 'utf8')

/** Custom properties with a plain hex colour, in the first block that the selector opens. */
function tokensOf(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`)
  const block = css.slice(start, css.indexOf('\n}', start))
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{3,6})\s*;/g)].map(([, name, value]) => [name!, value!]),
  )
}
const light = tokensOf(':root')
const themes = { light, dark: { ...light, ...tokensOf(":root[data-theme='dark']") } }

/** WCAG 2.2 relative luminance and contrast. */
function luminance(hex: string): number {
  const full = hex.length === 4 ? [...hex.slice(1)].map((c) => c + c).join('') : hex.slice(1)
  const [r, g, b] = [0, 2, 4].map((i) => {
    const value = parseInt(full.slice(i, i + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high! + 0.05) / (low! + 0.05)
}

const grounds = ['bench', 'panel', 'sheet']
const roles = ['attack', 'defence', 'pass', 'fail', 'undecided', 'rejected', 'neutral']
/** Text needs 4.5. */
const text: [string, string][] = [
  ...['ink', 'ink-2', 'ink-3'].flatMap((ink) => grounds.map((ground) => [ink, ground] as [string, string])),
  ['ink-2', 'well'],
  ['glass-ink', 'glass'],
  ...['ink', 'attack', 'defence', 'rejected', 'fail'].map(
    (ground) => ['ink-inv', ground] as [string, string],
  ),
  ...roles.flatMap(
    (role) =>
      [
        [role, 'sheet'],
        [role, 'panel'],
        [role, `${role}-wash`],
      ] as [string, string][],
  ),
  ['attack', 'bench'],
  ['ink', 'attack-wash'],
  ['ink', 'undecided-wash'],
  ['ink', 'fail-wash'],
]
/** Marks, controls and focus need 3. */
const marks: [string, string][] = [
  ...roles.map((role) => [`${role}-fill`, 'sheet'] as [string, string]),
  ['attack-fill', 'well'],
  ['pass-fill', 'well'],
  ['fail-fill', 'well'],
  ...grounds.flatMap(
    (ground) =>
      [
        ['edge', ground],
        ['focus', ground],
      ] as [string, string][],
  ),
]

describe.each(Object.entries(themes))('contrast, %s', (_, tokens) => {
  it.each(text)('of the text %s on %s is at least 4.5', (ink, ground) => {
    expect(contrast(tokens[ink]!, tokens[ground]!)).toBeGreaterThanOrEqual(4.5)
  })
  it.each(marks)('of the mark %s on %s is at least 3', (mark, ground) => {
    expect(contrast(tokens[mark]!, tokens[ground]!)).toBeGreaterThanOrEqual(3)
  })
})

it('is computed as WCAG does', () => {
  expect(contrast('#000', '#fff')).toBeCloseTo(21)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
})
