/** The public surface of `@pennypost/admin`; what callers of the socket need alone is in `@pennypost/admin/client`. */
export { undoRemovalMs } from './accounts.ts'
export { AdminError, type AdminRefusal } from './admin-error.ts'
export {
  type Administration,
  createDirectAdministration,
  type OperationInput,
  type OperationResult,
} from './administration.ts'
export { type AuditRecord, createAuditFile } from './audit.ts'
export type {
  AdminContext,
  BackedUp,
  BackUpOptions,
  CredentialMaker,
  Installation,
  LocalSubmission,
  RunningServer,
  SpoolFacts,
} from './context.ts'
export type { CheckedRecord } from './dns-check.ts'
export type { PublishedRecord } from './dns-records.ts'
export { type LocalOutcome, laterOrNever, type RefusedRecipient, refusalOf } from './local-outcome.ts'
export type { Call, Operation, Progress } from './operation.ts'
export { submitLocally } from './operations/submit.ts'
export { type OperationName, operations } from './operations.ts'
export type { Problem, StatusFacts } from './problems.ts'
export type { CertificateState, ListenerFacts, ServerFacts } from './server-facts.ts'
export type { Frame } from './socket/frames.ts'
export {
  type AdminServer,
  type AdminServerLimits,
  type AdminServerOptions,
  createAdminServer,
} from './socket/server.ts'
export { isDiskFull } from './system-faults.ts'
