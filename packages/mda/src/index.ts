/** The public surface of `@pennypost/mda`. */
export { printAddress } from './address-text.ts'
export { createMda, defaultExpansionLimits, type ExpansionLimits, type MdaOptions } from './expand.ts'
export { deliveryBlock, filingsAtOnce, planFilings } from './filing.ts'
export type { LocateOptions } from './locate.ts'
export { findLoop, hopLimit } from './loops.ts'
export * from './mda.ts'
export { sentNotes } from './sent-memory.ts'
export { createSrs, isSrs, type Srs, type SrsAddress, type SrsOptions } from './srs.ts'
