import { data, submit, task, victim } from 'lab'
import { targeted } from './targeted'

// Digits that are not your target, and are read correctly until now.
const { ids, x } = await data.sample()

// The digit that your variant asks for, once for each image.
const target = ids.map(() => task.target)

const adversarial = await targeted(victim, x, target, task.epsilon)

await submit({ ids, x: adversarial })
