/** Remembers the guide's width on this machine; where storage is denied, for this visit. */
const key = 'perturb.guide-width'

export function readWidth(): number | undefined {
  try {
    const width = Number(localStorage.getItem(key))
    return width >= 300 && width <= 680 ? width : undefined
  } catch {
    return undefined
  }
}

export function writeWidth(width: number | undefined): void {
  try {
    if (width === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, String(width))
  } catch {
    // Denied: the width still holds until the page closes.
  }
}
