import { createSubscriber } from 'svelte/reactivity'

/** A colour ramp: t in [0, 1] to red, green, blue in 0..255. */
export type Ramp = (t: number) => readonly [number, number, number]

const subscribe = createSubscriber((update) => {
  const observer = new MutationObserver(update)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  return () => observer.disconnect()
})

function parse(colour: string): [number, number, number] {
  const hex = colour.trim().replace('#', '')
  const full = hex.length === 3 ? [...hex].map((c) => c + c).join('') : hex
  return [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16) || 0) as [number, number, number]
}

function between(stops: readonly (readonly [number, number, number])[]): Ramp {
  return (t) => {
    const at = Math.min(1, Math.max(0, t)) * (stops.length - 1)
    const i = Math.min(stops.length - 2, Math.floor(at))
    const f = at - i
    const low = stops[i]!
    const high = stops[i + 1]!
    return [0, 1, 2].map((k) => low[k]! + (high[k]! - low[k]!) * f) as [number, number, number]
  }
}

function fromTokens(prefix: string, count: number): Ramp {
  subscribe()
  const style = getComputedStyle(document.documentElement)
  return between(Array.from({ length: count }, (_, i) => parse(style.getPropertyValue(`--${prefix}-${i}`))))
}

/** The dark glass of the viewfinder with paper-white ink: the same in both themes. */
const ink: Ramp = between([
  [20, 24, 26],
  [242, 244, 236],
])

/**
 * The ramps of the theme on the screen now. Read inside an effect or a derived value, they are read
 * again when the theme changes, so canvases are drawn anew.
 */
export const ramps = {
  ink: (): Ramp => ink,
  /** −1 at t = 0, zero at 0.5, +1 at 1. */
  diverging: (): Ramp => fromTokens('div', 7),
  sequential: (): Ramp => fromTokens('seq', 5),
}

export type Palette = keyof typeof ramps | 'rgb'
