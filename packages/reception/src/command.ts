import type { Reply } from '@pennypost/smtp'
import type { Service } from './options.ts'
import type { Session } from './session.ts'

/**
 * A command of SMTP or LMTP as a value: one file each under `commands/`, listed in `commands/index.ts`.
 * `run-command.ts` checks what the columns say before `run` sees anything; `run` gives the reply, or undefined when it has spoken itself.
 */
export interface Command {
  verb: string
  /** The section that defines it. */
  rfc: string
  /** Syntax, for HELP. */
  syntax: string
  /** Services that know it; absent: all. */
  services?: readonly Service[]
  /** Whether the client must have said hello; RFC 5321 §4.1.4 lets NOOP, HELP, EXPN, VRFY, RSET and QUIT come before. */
  needsHello: boolean
  /** RFC 4954 §6: refused with 530 before authentication where the service asks for it. */
  needsAuth: boolean
  /** Brings no mail nearer: a stranger may give so many of it (`ReceptionLimits.idleCommands`). */
  idle?: boolean
  /** Takes no argument: 501 when there is one. */
  bare?: boolean
  /** Whether HELP names it to this client; absent: to all. */
  isOffered?(session: Session): boolean
  run(session: Session, argument: string): Outcome
}

/** The reply, or undefined when there is none to give any more. */
export type Outcome = Reply | undefined | Promise<Reply | undefined>

/** Services over which mail comes in: all but `odmr`, over which it is fetched. */
export const takingMail: readonly Service[] = ['smtp', 'submission', 'submissions', 'lmtp']
