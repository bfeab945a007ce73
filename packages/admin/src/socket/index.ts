/** What a caller of the admin socket needs, and nothing heavy: verbs load it at every start. */
export { AdminError, type AdminRefusal } from '../admin-error.ts'
export { type LocalOutcome, laterOrNever, type RefusedRecipient, refusalOf } from '../local-outcome.ts'
export { systemFault } from '../system-faults.ts'
export { type CallOptions, callAdmin, NoServer } from './client.ts'
export type { Frame } from './frames.ts'
