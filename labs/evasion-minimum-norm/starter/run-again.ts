import { data, submit, victim } from 'lab'
import { again } from './again'

// Digits that your repaired model reads correctly. The victim here is that model.
const { ids, x, y } = await data.sample()

await submit({ ids, x: await again(victim, x, y) })
