import type { By } from './grammar/sequence-set.ts'
import type { Session } from './session/session.ts'
import type { Cursor, Unit } from './wire/cursor.ts'
import type { LiteralOffer } from './wire/framer.ts'

/** RFC 9051 §3; after LOGOUT there is no session any more. */
export type State = 'not authenticated' | 'authenticated' | 'selected'

export const beforeLogin: readonly State[] = ['not authenticated']
export const loggedIn: readonly State[] = ['authenticated', 'selected']
export const whenSelected: readonly State[] = ['selected']
export const always: readonly State[] = ['not authenticated', 'authenticated', 'selected']

/** What a command may do to others and to the numbers of messages: the session acts on it, no command knows another. */
export interface Effects {
  /** Speaks of messages by sequence number: no EXPUNGE is told until it is over (RFC 9051 §7.5.1). */
  numbers?: true
  /** Changes messages of the selected mailbox: NO after EXAMINE. */
  writes?: true
  /** Expunges messages of the selected mailbox: always told of, whatever NOTIFY has asked for. */
  removes?: true
  /** Leaves the selected mailbox: also one that is gone. */
  leaves?: true
  /** Says the state of a mailbox: what came since waits for the next command, since clients take that for the state at its end. */
  opens?: true
}

/** How a command was completed. Without text: `NAME completed`. */
export interface Completion {
  /** Response code, without brackets. */
  code?: string | undefined
  text?: string
  /**
   * What becomes of the stream behind the tagged OK: the TLS handshake, compression (RFC 4978 §3), or none any more if there
   * was some (RFC 8437 §4.1).
   */
  next?: 'startTls' | 'compress' | 'decompress'
}

/**
 * A command of the protocol, as a value. `parse` reads all arguments, from the space behind the name on, before anything
 * acts; `run` says its untagged responses and returns, or throws `ImapRefusal` or `StoreError`.
 */
export interface Command<Args = unknown> {
  /** In upper case; `UID FETCH` and its kin are commands of their own. */
  name: string
  /** Where it is defined, e.g. `RFC 9051 §6.1.2`. */
  rfc: string
  states: readonly State[]
  effects: Effects
  parse(cursor: Cursor, session: Session): Args
  run(session: Session, args: Args): Completion | undefined | Promise<Completion | undefined>
  /**
   * Where an announced literal goes, given what came before it, which the cursor reads from the space behind the name on:
   * `undefined` holds it in memory within the limits. Throws `ImapRefusal` to refuse it before the client sends it.
   */
  literal?(
    cursor: Cursor,
    session: Session,
    unit: Unit,
    offer: LiteralOffer,
  ): LiteralSink | undefined | Promise<LiteralSink | undefined>
}

/** A command that speaks of messages, before it is said how it numbers them. */
interface EitherForm<Args> extends Omit<Command<Args>, 'run' | 'literal'> {
  /** Where the UID form is defined, if not in RFC 9051 §6.4.9. */
  uidRfc?: string
  run(session: Session, args: Args, by: By): ReturnType<Command<Args>['run']>
  literal?(
    cursor: Cursor,
    session: Session,
    unit: Unit,
    offer: LiteralOffer,
    by: By,
  ): ReturnType<NonNullable<Command['literal']>>
}

/**
 * The command and its UID form. In the latter no response means a message by its number, so that it keeps no EXPUNGE back
 * (RFC 9051 §7.5.1).
 */
export function bothForms<Args>(command: EitherForm<Args>): [bySequence: Command<Args>, byUid: Command<Args>] {
  const { name, rfc, uidRfc = 'RFC 9051 §6.4.9', effects, states, parse, run, literal } = command
  const form = (by: By): Pick<Command<Args>, 'states' | 'parse' | 'run' | 'literal'> => ({
    states,
    parse,
    run: (session, args) => run(session, args, by),
    ...(literal && { literal: (cursor, session, unit, offer) => literal(cursor, session, unit, offer, by) }),
  })
  const { numbers, ...uidEffects } = effects
  return [
    { name, rfc, effects, ...form('sequence') },
    { name: `UID ${name}`, rfc: uidRfc, effects: uidEffects, ...form('uid') },
  ]
}

/** Takes a literal as it comes. After `finish` or `discard` it is not used again. */
export interface LiteralSink {
  /** A promise means: no more until it resolves. */
  write(octets: Buffer): Promise<void> | undefined
  /** What the command's parser finds as `Literal.streamed`. */
  finish(): Promise<StreamedLiteral>
  discard(): void
}

/** A literal that was taken elsewhere; discarded if the command never gets to use it. */
export interface StreamedLiteral {
  /** Octets of it as they are staged. */
  readonly size: number
  /** Octets that it holds in memory beside these. */
  readonly held: number
  discard(): void
}

/** For commands without arguments. */
export function noArguments(): undefined {
  return undefined
}
