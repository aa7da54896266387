import { data, submit } from 'lab'
import { repair } from './repair'

const { ids, y } = await data.sample()
await submit({ changes: await repair({ ids, y }, await data.audited()) })
