/** The public surface of `@pennypost/mda`. */
export { printAddress } from './address-text.ts'
export { createMda, type ExpansionLimits, type MdaOptions } from './expand.ts'
export { deliveryBlock, filingsAtOnce, planFilings } from './filing.ts'
export { findLoops } from './loops.ts'
export * from './mda.ts'
export { sentCopy, sentCopyNotes, takeSentCopy } from './sent-copy.ts'
export { sentNotes } from './sent-memory.ts'
export { createSrs, isSrs, type Srs } from './srs.ts'
