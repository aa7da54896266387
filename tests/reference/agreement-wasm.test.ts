import { agreesOn } from './agreement.ts'

agreesOn('wasm')
