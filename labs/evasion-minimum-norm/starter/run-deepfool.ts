import { data, submit, victim } from 'lab'
import { deepfool } from './deepfool'

// The digits of your variant, all read correctly until now.
const { ids, x, y } = await data.sample()

await submit({ ids, x: await deepfool(victim, x, y) })
