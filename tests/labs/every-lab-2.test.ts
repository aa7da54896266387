import { provesLabs } from './every-lab.ts'

provesLabs(1, 2)
