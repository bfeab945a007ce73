import { StoreError, type StoreRefusal } from '@pennypost/model'

/**
 * What a command is answered with when it is not done. Three classes only: syntax → BAD, the user's → NO with a
 * response code (RFC 9051 §7.1, RFC 5530), ours → a fixed text, the cause in the log.
 */
export class ImapRefusal extends Error {
  override readonly name = 'ImapRefusal'
  readonly kind: 'NO' | 'BAD'
  /** Response code without its brackets, e.g. `TRYCREATE`. */
  readonly code: string | undefined
  /** The connection ends after the answer. */
  readonly bye: string | undefined

  constructor(kind: 'NO' | 'BAD', code: string | undefined, text: string, bye?: string) {
    super(text)
    this.kind = kind
    this.code = code
    this.bye = bye
  }
}

/** A command that is not what the grammar allows. */
export function bad(text: string, code?: string): ImapRefusal {
  return new ImapRefusal('BAD', code, text)
}

/** A command that is well formed and cannot be done. `code` without brackets, '' for none. */
export function no(code: string, text: string): ImapRefusal {
  return new ImapRefusal('NO', code === '' ? undefined : code, text)
}

/** NO to a command that means messages by number, of which the client was not told yet that they are gone (RFC 5530 §3). */
export function deletedByOthers(code = 'EXPUNGEISSUED'): ImapRefusal {
  return no(code, 'Some of the messages have been deleted by others')
}

const ofStore: Partial<Record<StoreRefusal, readonly [code: string, text: string]>> = {
  'no-such-mailbox': ['NONEXISTENT', 'No such mailbox'],
  'mailbox-exists': ['ALREADYEXISTS', 'The mailbox exists already'],
  'mailbox-not-allowed': ['CANNOT', 'This is not allowed for that mailbox name'],
  'no-such-account': ['AUTHORIZATIONFAILED', 'The account is gone'],
  'over-quota': ['OVERQUOTA', 'The quota is used up'],
  'no-room': ['UNAVAILABLE', 'The server is short of disk space, try again later'],
  limit: ['LIMIT', 'A limit of the server is reached'],
  unavailable: ['UNAVAILABLE', 'The mail store is not available now, try again later'],
}

/** The answer to whatever a command threw; `undefined` for what is our own fault and belongs in the log. */
export function refusalOf(error: unknown): ImapRefusal | undefined {
  if (error instanceof ImapRefusal) return error
  if (!(error instanceof StoreError)) return undefined
  const known = ofStore[error.reason]
  if (!known) return undefined
  return no(known[0], error.reason === 'limit' ? error.message : known[1])
}
