import { agreesOn } from './agreement.ts'

agreesOn('cpu')
