import { submit, task, trainer, victim } from 'lab'
import { vaccinate } from './train'

// The victim begins as the bank's reader and changes with every step of the trainer.
await vaccinate(victim, task.epsilon)

// What the trainer holds now. The weights themselves never enter this program.
await submit(trainer)
