import { data, submit, task, tf, victim } from 'lab'
import { again } from './again'

// The victim is your own repaired model. It was trained against squares of one size.
const { x } = await data.sample()

const sticker = await again(victim, x, task.target, {
  side: Number(task.side),
  range: {
    rotation: Number(task.rotation),
    scale: Number(task.scale),
    shift: Number(task.shift),
    light: Number(task.light),
  },
  spot: { right: Number(task.right), down: Number(task.down) },
})

await submit({ ids: [Number(task.order)], x: tf.stack([sticker]) })
