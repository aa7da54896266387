import { mount } from 'svelte'
import { store } from './app/store.svelte.ts'
import './ui/theme/index.css'
import App from './ui/App.svelte'

// Another tab erased the learner's work: what this page still shows is gone.
store.onErased = () => location.reload()
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void store.refresh()
})

if (location.hash === '#/rerun') void import('./app/rerun.ts').then(({ offerRerun }) => offerRerun())
else mount(App, { target: document.getElementById('app')! })
