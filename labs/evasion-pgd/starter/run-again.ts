import { data, submit, task, victim } from 'lab'
import { again } from './again'

// Digits that your hardened model reads rightly. The victim here is that model.
const { ids, x, y } = await data.sample()

const adversarial = await again(victim, x, y, task.epsilon)

await submit({ ids, x: adversarial })
