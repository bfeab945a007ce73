/** The public surface of `@pennypost/smtp`. */
export { createSmtpClient, type SmtpClient } from './client/client.ts'
export type { Failure } from './client/failure.ts'
export type { ClientOptions, ClientTimeouts } from './client/options.ts'
export type { RecipientOutcome, TransactionRequest, TransactionResult } from './client/request.ts'
export type { TranscriptEvent } from './client/transcript.ts'
export {
  type MailArgument,
  parseHelloArgument,
  parseMailArgument,
  parseRcptArgument,
  type RcptArgument,
  splitCommandLine,
} from './command-line.ts'
export { type AddressLiteral, formatAddressLiteral, parseAddressLiteral } from './domain.ts'
export type { MailParameters } from './mail-parameters.ts'
export type { Parsed } from './parsed.ts'
export { type Mailbox, parseForwardPath, parseMailbox, toAsciiPath } from './path.ts'
export type { Notify, OriginalRecipient, RcptParameters } from './rcpt-parameters.ts'
export { greetingReply, queuedReply, replies } from './replies.ts'
export { describeReply, isPermanent, isPositive, printReply, type Reply, reply, withText } from './reply.ts'
export { decodeXtext } from './xtext.ts'
