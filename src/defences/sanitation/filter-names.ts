/** The filters of row-filters.ts by name. Apart from them, because pages offer them without computing them. */
export const rowFilterNames = ['activation-clustering', 'spectral', 'strip', 'deep-knn'] as const
export type RowFilterName = (typeof rowFilterNames)[number]

export const rowFilterTitles: Readonly<Record<RowFilterName, string>> = {
  'activation-clustering': 'Activation clustering',
  spectral: 'Spectral signatures',
  strip: 'STRIP',
  'deep-knn': 'Deep k-NN',
}

/** Pictures that STRIP lays over each row: so many readings does it cost. */
export const stripOverlays = 16
