import { data, submit, victim } from 'lab'
import { findPlanted } from './cluster'

// The victim was trained on these very rows, planted ones included.
const { ids, x, y } = await data.sample()
const features = (await (await victim.features(x)).array()) as number[][]
const rows = ids.map((id, i) => ({ id, label: y[i]!, features: features[i]! }))
await submit({ changes: findPlanted(rows).map((id) => ({ id, label: 'drop' as const })) })
