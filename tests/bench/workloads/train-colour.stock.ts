import { colourCnn } from '../architectures.ts'
import { stockTraining } from '../stock-model.ts'

export const prepare = stockTraining(colourCnn)
