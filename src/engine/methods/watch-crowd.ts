import { createRng } from '../../core/rng.ts'
import type { AccountKind } from '../../grading/account-log.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'
import { watchAccount, type AccountReading, type WatchAccountParams } from './watch-account.ts'

export interface WatchCrowdParams extends Omit<WatchAccountParams, 'kind'> {
  /** How many of whom. */
  crowd: readonly (readonly [kind: AccountKind, count: number])[]
}

export interface CrowdAccount {
  kind: AccountKind
  readings: AccountReading[]
}

/** Many accounts, each read as its provider would. */
export const method = defineMethod<WatchCrowdParams, CrowdAccount[]>({
  name: 'watch-crowd',
  runsOn: ['engine'],
  async run({ model, dataset, foreign, crowd, seed, rows }, { signal, progress }, workshop) {
    const means = {
      model: await workshop.model(model),
      data: await workshop.dataset(dataset),
      foreign: await workshop.dataset(foreign),
    }
    const rng = createRng(seed, 'crowd')
    const pace = createPace(signal)
    const all = crowd.flatMap(([kind, count]) => Array.from({ length: count }, () => kind))
    const watched: CrowdAccount[] = []
    for (const kind of all) {
      const { readings } = await watchAccount({ kind, seed: rng.uint32(), rows }, means, pace)
      watched.push({ kind, readings })
      progress(watched.length, all.length)
      await pace()
    }
    return watched
  },
})
