/** CREATE, with the superior names that are missing and the special use that RFC 6154 §3 lets a client ask for. */
import { type Mailbox, othersName, type SpecialUse, StoreError, specialUses, superiors } from '@pennypost/model'
import { type Place, requireParent } from '../access/find-mailbox.ts'
import { sharedMailbox } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import { type WrittenMailbox, writtenMailbox } from '../grammar/mailbox.ts'
import { knownUse, useTaken } from '../metadata/special-use-entry.ts'
import { bad, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'
import { sayNormalized } from './list.ts'

interface Args extends WrittenMailbox {
  specialUse: SpecialUse | undefined
}

/** Makes the names above this one that are not there (RFC 9051 §6.3.4); none where this one is there already. */
export async function createSuperiors(session: Session, { owner, name }: Place): Promise<Mailbox[]> {
  const { mail } = session.service
  if (await mail.mailboxByName(owner.id, name)) throw no('ALREADYEXISTS', 'The mailbox exists already')
  const created: Mailbox[] = []
  for (const superior of superiors(name)) {
    // Asked one by one: an account may have ten thousand others.
    if (await mail.mailboxByName(owner.id, superior)) continue
    const made = await mail.createMailbox(owner.id, superior).catch((error: unknown) => {
      // Another session was faster.
      if (!(error instanceof StoreError && error.reason === 'mailbox-exists')) throw error
    })
    if (made) created.push(made)
  }
  return created
}

/** A client knows what a command that ended in OK has made: NOTIFY does not tell it. */
export function noteCreated({ notifier, user }: Session, { owner }: Place, created: readonly Mailbox[]): void {
  for (const mailbox of created) {
    const isOwn = owner.id === user.id
    notifier?.told.created(isOwn ? mailbox : sharedMailbox(mailbox, othersName(owner.login, mailbox.name), ''))
  }
}

/** `SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"` (RFC 6154 §3) */
function parameters(cursor: Cursor, session: Session): SpecialUse | undefined {
  const uses: string[] = []
  cursor.expect('(')
  const word = cursor.word('Parameter')
  if (word !== 'USE' || !session.service.registry.has('CREATE-SPECIAL-USE')) {
    throw bad(`Unknown parameter ${word.slice(0, 40)}`)
  }
  cursor.sp()
  cursor.list(() => {
    cursor.expect('\\')
    uses.push(`\\${cursor.atom('Special use')}`)
  }, specialUses.length)
  cursor.expect(')')
  return knownUse(uses)
}

export const create = {
  name: 'CREATE',
  rfc: 'RFC 9051 §6.3.4',
  states: loggedIn,
  effects: {},
  parse(cursor, session) {
    cursor.sp()
    // A final delimiter says that inferiors will follow, which every mailbox here can have.
    const mailbox = writtenMailbox(cursor.astring('Mailbox name').replace(/\/$/, ''), session.utf8Names)
    return { ...mailbox, specialUse: cursor.skip(' ') ? parameters(cursor, session) : undefined }
  },
  async run(session, { name, written, specialUse }) {
    const { mail } = session.service
    if (name === 'INBOX') throw no('ALREADYEXISTS', 'INBOX is always there')
    const place = await requireParent(session, name)
    if (specialUse) {
      if (place.owner.id !== session.user.id) throw no('USEATTR', 'Special uses are for mailboxes of your own')
      const taken = (await mail.mailboxes(session.user.id)).some((mailbox) => mailbox.specialUse === specialUse)
      if (taken) throw useTaken()
    }
    const above = await createSuperiors(session, place)
    const created = await mail.createMailbox(place.owner.id, place.name, specialUse).catch((error: unknown) => {
      // Another session was faster.
      throw error instanceof StoreError && error.reason === 'exists' ? useTaken() : error
    })
    noteCreated(session, place, [...above, created])
    sayNormalized(session, { name, written })
    const codes = session.service.registry.extensions.map((extension) => extension.onCreated?.(created))
    return { code: codes.find(Boolean) }
  },
} satisfies Command<Args>
