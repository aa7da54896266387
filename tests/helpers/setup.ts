import '../../src/cli/node-platform.ts'
import fc from 'fast-check'
import { runs } from './runs.ts'

// `npm test` tries the same cases every time, so that a red run is never a draw of luck; the search for new
// ones is `npm run test:deep`, and fast-check prints the seed of what it finds.
const seed = process.env.PERTURB_DEEP ? undefined : 20_170_614
fc.configureGlobal({ numRuns: runs(100), ...(seed === undefined ? {} : { seed }) })
