/**
 * What a port may reject with. Everything else that an engine throws is our trouble: temporary and generic to the peer,
 * whole in the log. `reason` is a closed list, so that each protocol maps it to its own reply in one table.
 */
export type StoreRefusal =
  | 'no-such-mailbox'
  | 'mailbox-exists'
  /** INBOX can not be deleted; a name that the rules forbid; a rename below itself. */
  | 'mailbox-not-allowed'
  | 'no-such-account'
  | 'no-such-domain'
  | 'no-such-alias'
  /** Nothing refers to the message any more, so its content is gone. */
  | 'no-such-message'
  | 'exists'
  | 'over-quota'
  /** The file system is down to its reserve. Temporary. */
  | 'no-room'
  /** A limit named in the text, e.g. the number of keywords or mailboxes. */
  | 'limit'
  /** The lease under which an entry was worked is gone: somebody else has it now. */
  | 'lease-lost'
  /** The store stops or has failed; nothing was done. Temporary. */
  | 'unavailable'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly reason: StoreRefusal

  constructor(reason: StoreRefusal, text: string) {
    super(text)
    this.reason = reason
  }
}
