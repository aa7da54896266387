import { measureBundles } from '../bundle-sizes.ts'
import type { AppFigure } from './measure.ts'

const figure = (name: string, title: string, part: string, budget: number): AppFigure => ({
  name,
  title,
  unit: 'kB',
  budget,
  measure: async ({ folder }) => measureBundles(folder).find((size) => size.name === part)!.bytes / 1000,
})

export const figures: AppFigure[] = [
  figure('size-shell', 'Shell, JavaScript and CSS, gzipped', 'shell', 150),
  figure('size-lab', 'A lab before its editor, gzipped', 'lab before the editor', 700),
]
