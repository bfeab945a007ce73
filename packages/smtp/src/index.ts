export * from './capabilities.ts'
export type { Credentials } from './client/authenticate.ts'
export { createSmtpClient, type SmtpClient } from './client/client.ts'
export type { Failure, Outcome, Phase } from './client/failure.ts'
export {
  type ClientLimits,
  type ClientOptions,
  type ClientTimeouts,
  defaultClientTimeouts,
} from './client/options.ts'
export type {
  RecipientOutcome,
  TransactionRecipient,
  TransactionRequest,
  TransactionResult,
} from './client/request.ts'
export {
  defaultTranscriptLimits,
  type TranscriptEvent,
  type TranscriptLimits,
} from './client/transcript.ts'
export * from './command-line.ts'
export * from './domain.ts'
export type { EnhancedStatus } from './enhanced-status.ts'
export * from './mail-parameters.ts'
export * from './parameters.ts'
export * from './parsed.ts'
export * from './path.ts'
export * from './rcpt-parameters.ts'
export * from './replies.ts'
export * from './reply.ts'
export * from './reply-parser.ts'
export * from './xtext.ts'
