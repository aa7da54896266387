import { data, submit, task, victim } from 'lab'
import { pgdL2 } from './pgd-l2'

const { ids, x, y } = await data.sample()

// Here task.epsilon is a length: 1.5 for all 784 pixels of a digit together.
const adversarial = await pgdL2(victim, x, y, task.epsilon)

await submit({ ids, x: adversarial })
