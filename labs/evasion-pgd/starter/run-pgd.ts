import { data, submit, task, victim } from 'lab'
import { pgd } from './pgd'

// Digits that the model reads rightly until now.
const { ids, x, y } = await data.sample()

const adversarial = await pgd(victim, x, y, task.epsilon)

await submit({ ids, x: adversarial })
