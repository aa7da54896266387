import { data, submit, task, victim } from 'lab'
import { beyond } from './beyond'

// Digits that your vaccinated reader reads rightly. The victim here is that reader; epsilon is a length in L2.
const { ids, x, y } = await data.sample()

const adversarial = await beyond(victim, x, y, task.epsilon)

await submit({ ids, x: adversarial })
