import { data, submit } from 'lab'
import { repair } from './repair'

const rows = await data.sample()
const { ids: audited } = await data.audited()
const planted = await repair(rows, audited)
await submit({ changes: planted.map((id) => ({ id, label: 'drop' as const })) })
