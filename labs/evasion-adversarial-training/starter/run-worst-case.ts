import { data, submit, task, victim } from 'lab'
import { worstCase } from './worst-case'

// The digits of your variant, all read rightly until now. Three gradients, no more.
const { ids, x, y } = await data.sample()

const adversarial = await worstCase(victim, x, y, task.epsilon, 3)

await submit({ ids, x: adversarial })
