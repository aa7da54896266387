/**
 * Tells an element's inner width, now and whenever it changes: `{@attach widthOf((next) => (width = next))}`. Unlike
 * `bind:clientWidth` it never asks while a page is being built, when the answer would cost a layout of its own.
 */
export const widthOf = (onwidth: (width: number) => void) => (element: Element) => {
  const observer = new ResizeObserver(() => onwidth(element.clientWidth))
  observer.observe(element)
  return () => observer.disconnect()
}
