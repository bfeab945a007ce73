import { type AclChange, allRights, changedRights, type Grantee, parseRights, showRights } from '@pennypost/model'
import { lookupLogin, preparePassword } from '@pennypost/sasl'
import { findMailbox, noSuchMailbox } from '../access/find-mailbox.ts'
import { rightsOn, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import type { Extension } from '../extension.ts'
import { printMailbox, spMailbox } from '../grammar/mailbox.ts'
import { bad, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { type Cursor, utf8 } from '../wire/cursor.ts'
import { printAString } from '../wire/strings.ts'

/**
 * Access control lists. Identifiers are logins and `anyone`; with a minus before them, what the entry holds is taken
 * away. Owners have all rights, always. Whoever may administer a mailbox may give any right, also one that it lacks.
 */
interface Named {
  name: string
  identifier: string
}

/** `mailbox SP identifier`; the identifier prepared as RFC 4314 §3 has it: BAD when that fails. */
function named(cursor: Cursor, session: Session): Named {
  const name = spMailbox(cursor, session)
  cursor.sp()
  const identifier = preparePassword(utf8(cursor.astring('Identifier')))
  if (!identifier?.replace(/^-/, '')) throw bad('This is no identifier')
  return { name, identifier }
}

/** NO for a login that nobody has. A login without a domain is one of the account's own domain. */
async function granteeOf(session: Session, identifier: string): Promise<Pick<AclChange, 'grantee' | 'negative'>> {
  const negative = identifier.startsWith('-')
  const written = negative ? identifier.slice(1) : identifier
  if (written === 'anyone') return { grantee: 'anyone', negative }
  const { directory } = session.service
  const login = lookupLogin(written.includes('@') ? written : `${written}@${session.user.login.replace(/^.*@/, '')}`)
  const account = await directory.accountByLogin(login)
  if (!account || account.removedAt !== null) throw no('CANNOT', 'Nobody here has this login')
  return { grantee: account.id, negative }
}

function printName(session: Session, name: string): string {
  return printMailbox(name, session.utf8Names)
}

function printIdentifier(session: Session, identifier: string): string {
  return printAString(identifier, session.utf8Names)
}

/** `rights = astring`: an empty one is quoted. */
function printRights(rights: string): string {
  return printAString(showRights(rights), false)
}

interface SetArgs extends Named {
  mode: AclChange['mode']
  rights: string
}

async function change(session: Session, args: SetArgs): Promise<undefined> {
  const found = await session.mailbox(args.name, 'a')
  const { grantee, negative } = await granteeOf(session, args.identifier)
  if (grantee === found.account) return requireUnchanged(args, negative)
  const { mode, rights } = args
  await session.service.sharing.setAcl(found.id, { grantee, negative, mode, rights })
  session.service.mailboxes.touch(found.id)
  if (grantee === 'anyone') session.service.signals.namesChanged(undefined)
}

/** The owner's entry can be set to what it is. */
function requireUnchanged({ mode, rights }: SetArgs, negative: boolean): undefined {
  const after = changedRights(negative ? '' : allRights, mode, rights)
  if (after !== (negative ? '' : allRights)) throw no('CANNOT', 'The owner of a mailbox has all rights on it')
}

/** `"SETACL" SP mailbox SP identifier SP mod-rights` */
const setAcl = {
  name: 'SETACL',
  rfc: 'RFC 4314 §3.1',
  states: loggedIn,
  effects: {},
  parse(cursor, session) {
    const names = named(cursor, session)
    cursor.sp()
    const written = cursor.astring('Rights')
    const mode = written.startsWith('+') ? 'add' : written.startsWith('-') ? 'remove' : 'replace'
    const rights = parseRights(mode === 'replace' ? written : written.slice(1))
    if (rights === undefined) throw bad(`Rights are letters of ${showRights(allRights)}`)
    return { ...names, mode, rights }
  },
  run: change,
} satisfies Command<SetArgs>

const deleteAcl = {
  name: 'DELETEACL',
  rfc: 'RFC 4314 §3.2',
  states: loggedIn,
  effects: {},
  parse: (cursor, session) => ({ ...named(cursor, session), mode: 'replace', rights: '' }),
  run: change,
} satisfies Command<SetArgs>

/** `acl-data = "ACL" SP mailbox *(SP identifier SP rights)` */
const getAcl = {
  name: 'GETACL',
  rfc: 'RFC 4314 §3.3',
  states: loggedIn,
  effects: {},
  parse: spMailbox,
  async run(session, name) {
    const found = await session.mailbox(name, 'a')
    const { directory, sharing } = session.service
    const loginOf = async (grantee: Grantee): Promise<string | undefined> =>
      grantee === 'anyone' ? grantee : (await directory.account(grantee))?.login
    const owner = await loginOf(found.account)
    const entries = [`${printIdentifier(session, owner ?? '')} ${printRights(allRights)}`]
    for (const { grantee, negative, rights } of await sharing.acl(found.id)) {
      const login = await loginOf(grantee)
      if (login !== undefined) {
        entries.push(`${printIdentifier(session, negative ? `-${login}` : login)} ${printRights(rights)}`)
      }
    }
    session.untagged(`ACL ${printName(session, name)} ${entries.join(' ')}`)
    return undefined
  },
} satisfies Command<string>

/** `listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)`: no right is tied to another. */
const listRights = {
  name: 'LISTRIGHTS',
  rfc: 'RFC 4314 §3.4',
  states: loggedIn,
  effects: {},
  parse: named,
  async run(session, { name, identifier }) {
    const found = await session.mailbox(name, 'a')
    const { grantee, negative } = await granteeOf(session, identifier)
    const isOwner = grantee === found.account
    const always = isOwner && !negative ? printRights(allRights) : '""'
    const optional = isOwner ? [] : [...showRights(allRights)]
    const words = [printName(session, name), printIdentifier(session, identifier), always, ...optional]
    session.untagged(`LISTRIGHTS ${words.join(' ')}`)
    return undefined
  },
} satisfies Command<Named>

/** The MYRIGHTS response (RFC 4314 §3.8). */
export function sayMyRights(session: Session, found: VisibleMailbox): void {
  session.untagged(`MYRIGHTS ${printName(session, found.name)} ${printRights(rightsOn(found))}`)
}

const myRights = {
  name: 'MYRIGHTS',
  rfc: 'RFC 4314 §3.5',
  states: loggedIn,
  effects: {},
  parse: spMailbox,
  async run(session, name) {
    const found = await findMailbox(session, name)
    if (!found || !/[lrikxa]/.test(rightsOn(found))) throw noSuchMailbox()
    sayMyRights(session, found)
    return undefined
  },
} satisfies Command<string>

export const acl: Extension = {
  name: 'ACL',
  rfc: 'RFC 4314',
  capabilities: [{ name: 'ACL' }, { name: 'RIGHTS=texk' }],
  commands: [setAcl, deleteAcl, getAcl, listRights, myRights],
}
