// Runs before the first paint, so that a dark room stays dark. src/app/settings.svelte.ts does the rest.
;(function () {
  var theme = 'auto'
  try {
    theme = JSON.parse(localStorage.getItem('perturb.settings') || '{}').theme
  } catch (error) {
    theme = 'auto' // storage denied or unreadable: follow the system
  }
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
