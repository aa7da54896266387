import type { Component } from 'svelte'
import type { LabSession } from '../../app/lab-session.svelte.ts'
import { PerturbError } from '../../core/errors.ts'

/** What every widget is given: its directive's attributes, and the lab it stands in. */
export interface WidgetProps {
  props: Record<string, string>
  session: LabSession
}

const found = import.meta.glob<Component<WidgetProps>>('../widgets/*.svelte', { import: 'default' })

/** Throws `missing` when no file in src/ui/widgets/ has that name; the build refuses such a guide first. */
export async function loadWidget(kind: string): Promise<Component<WidgetProps>> {
  const load = found[`../widgets/${kind}.svelte`]
  if (!load) throw new PerturbError('missing', `no widget "${kind}" in src/ui/widgets/`)
  return load()
}
