import type { EnhancedStatus } from './enhanced-status.ts'
import { type Reply, reply } from './reply.ts'

/**
 * The replies that a Pennypost server gives, by name: code of RFC 5321 §4.2.3, enhanced code of RFC 3463 and its kin.
 * Closed on purpose: whoever answers a client picks the case, not the numbers. `withText` puts another text to one.
 */
function named(code: number, enhanced: EnhancedStatus | null, text: string): Reply {
  return reply(code, enhanced, text)
}

export const replies = {
  // 2yz
  closing: named(221, '2.0.0', 'Bye'),
  readyForTls: named(220, '2.0.0', 'Ready to start TLS'),
  authenticated: named(235, '2.7.0', 'Authentication successful'),
  ok: named(250, '2.0.0', 'Ok'),
  senderOk: named(250, '2.1.0', 'Ok'),
  recipientOk: named(250, '2.1.5', 'Ok'),
  cannotVerify: named(252, '2.5.0', 'Send some mail, delivery will be tried'), // RFC 5321 §3.5.3

  // 3yz: without enhanced code (RFC 2034 §4)
  startData: named(354, null, 'End data with <CR><LF>.<CR><LF>'),

  // 4yz
  shuttingDown: named(421, '4.3.2', 'Service is shutting down, try again later'),
  serviceUnavailable: named(421, '4.3.0', 'Service not available, try again later'),
  idleTooLong: named(421, '4.4.2', 'Timeout, closing connection'),
  tooManyConnections: named(421, '4.7.0', 'Too many connections from your network'),
  tooManyErrors: named(421, '4.7.0', 'Too many errors'),
  tooManyTransactions: named(421, '4.5.0', 'Too many transactions in one connection'),
  rateLimited: named(450, '4.7.1', 'Too much mail, try again later'),
  localError: named(451, '4.3.0', 'Local error, try again later'),
  mailboxFull: named(452, '4.2.2', 'A mailbox is full, try again later'),
  recipientsTooMany: named(452, '4.5.3', 'Too many recipients'), // RFC 5321 §4.5.3.1.10
  systemFull: named(452, '4.3.1', 'Insufficient system storage'),
  authUnavailable: named(454, '4.7.0', 'Temporary authentication failure'), // RFC 4954 §4.7
  etrnUnavailable: named(458, '4.3.0', 'Unable to queue messages for node'), // RFC 1985 §5.3

  // 50z, 53z, 55z of the dialogue
  unknownCommand: named(500, '5.5.2', 'Command not recognized'),
  lineTooLong: named(500, '5.5.2', 'Line too long'),
  authLineTooLong: named(500, '5.5.6', 'Authentication exchange line is too long'), // RFC 4954 §4
  badSyntax: named(501, '5.5.2', 'Syntax error'),
  badArgument: named(501, '5.5.4', 'Invalid command argument'),
  badHello: named(501, '5.5.4', 'A host name or address literal is needed'),
  badSender: named(501, '5.1.7', "Bad sender's mailbox address syntax"),
  badRecipient: named(501, '5.1.3', 'Bad destination mailbox address syntax'),
  authCancelled: named(501, '5.7.0', 'Authentication cancelled'),
  authBadBase64: named(501, '5.5.2', 'Invalid base64'),
  notImplemented: named(502, '5.5.1', 'Command not implemented'),
  badSequence: named(503, '5.5.1', 'Bad sequence of commands'),
  sayHelloFirst: named(503, '5.5.1', 'Say EHLO or HELO first'),
  sayLhloFirst: named(503, '5.5.1', 'Say LHLO first'),
  needMail: named(503, '5.5.1', 'MAIL first'),
  needRecipient: named(503, '5.5.1', 'RCPT first'),
  nestedMail: named(503, '5.5.1', 'A mail transaction is already begun'),
  alreadyAuthenticated: named(503, '5.5.1', 'Already authenticated'),
  alreadySecure: named(503, '5.5.1', 'TLS is already active'),
  mechanismUnknown: named(504, '5.5.4', 'Unrecognized authentication mechanism'),
  authRequired: named(530, '5.7.0', 'Authentication required'), // RFC 4954 §6
  tlsRequired: named(530, '5.7.0', 'Must issue a STARTTLS command first'), // RFC 3207 §4
  authFailed: named(535, '5.7.8', 'Authentication credentials invalid'),
  encryptionRequired: named(538, '5.7.11', 'Encryption required for requested authentication mechanism'),
  unknownParameter: named(555, '5.5.4', 'Parameter not recognized or not implemented'),

  // 55z about addresses and policy
  noSuchUser: named(550, '5.1.1', 'No such user'),
  policyRefused: named(550, '5.7.1', 'Message refused by policy'),
  accountDisabled: named(525, '5.7.13', 'Account is suspended'), // RFC 5248: the code that the registry has with it
  requireTlsWithoutTls: named(530, '5.7.10', 'REQUIRETLS needs TLS'),
  senderNotAllowed: named(553, '5.7.1', 'Sender address not allowed for this account'),
  nonAsciiAddress: named(553, '5.6.7', 'Address beyond ASCII without SMTPUTF8'), // RFC 6531 §3.5
  noValidRecipients: named(554, '5.5.1', 'No valid recipients'), // RFC 2920 §3.2
  badContent: named(550, '5.6.0', 'Message content is not valid'),
  utf8HeaderRefused: named(550, '5.6.9', 'UTF-8 header needs SMTPUTF8'),
} as const satisfies Record<string, Reply>

/** `250 2.0.0 Ok: queued as …`: the one reply that says a message is safe. */
export function queuedReply(id: string): Reply {
  return reply(250, '2.0.0', `Ok: queued as ${id}`)
}

/** The 220 of RFC 5321 §4.2: the host name is the first word, by which clients find loops. */
export function greetingReply(hostname: string, protocol: 'ESMTP' | 'LMTP'): Reply {
  return reply(220, null, `${hostname} ${protocol} Pennypost`)
}
