import { provesLabs } from './every-lab.ts'

provesLabs(0, 2)
