import { data, features, submit } from 'lab'
import { sift } from './sift'

const { ids, x, y } = await data.sample()
const flat = (await (await features.of(x)).data()) as Float32Array
const rows = ids.map((_, i) => flat.slice(i * features.size, (i + 1) * features.size))
const dropped = sift({ ids, y, features: rows })
console.log(`${dropped.length} of ${ids.length} pictures are dropped`)
await submit({ changes: dropped.map((id) => ({ id, label: 'drop' as const })) })
