import type { SpecialUse } from '../ports/mail-store.ts'

/** What a new account has, each one subscribed (RFC 6154 §2). */
export const newAccountMailboxes: readonly { name: string; specialUse?: SpecialUse }[] = [
  { name: 'INBOX' },
  { name: 'Archive', specialUse: '\\Archive' },
  { name: 'Drafts', specialUse: '\\Drafts' },
  { name: 'Junk', specialUse: '\\Junk' },
  { name: 'Sent', specialUse: '\\Sent' },
  { name: 'Trash', specialUse: '\\Trash' },
]

/**
 * The special use of a mailbox made anew under one of these names: Alpine deletes the Drafts that it has emptied and makes
 * it again for the next one, by name alone, and other clients look for it by its use.
 */
export function useByName(name: string): SpecialUse | undefined {
  return newAccountMailboxes.find((each) => each.name === name)?.specialUse
}
