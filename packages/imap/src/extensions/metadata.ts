import {
  type AnnotationChange,
  annotationLimits,
  isPrivateEntry,
  type MailboxId,
  type ModSeq,
  StoreError,
} from '@pennypost/model'
import { type Command, loggedIn } from '../command.ts'
import type { Extension } from '../extension.ts'
import { decodeMailbox, printMailbox } from '../grammar/mailbox.ts'
import { type AskedEntry, askedEntries, entryName, entryValue, printEntry } from '../metadata/entries.ts'
import {
  changedAnnotations,
  chosen,
  type Depth,
  readAnnotations,
  requireAnnotated,
  requireMaySet,
  sayMetadata,
} from '../metadata/read-annotations.ts'
import { setSpecialUse, specialUseEntry } from '../metadata/special-use-entry.ts'
import { bad, type ImapRefusal, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { View } from '../view/view.ts'
import type { Cursor } from '../wire/cursor.ts'

/**
 * Annotations of mailboxes and of the server. Whoever has enabled METADATA is told by name what others set on the
 * selected mailbox, with the other changes; a client asks for the values.
 */

/** The mailbox's name, '' for the server. */
function annotated(cursor: Cursor, session: Session): string {
  const written = cursor.astring('Mailbox name')
  return written === '' ? '' : decodeMailbox(written, session.utf8Names)
}

interface Options {
  maxSize: number | undefined
  depth: Depth
}

interface GetArgs extends Options {
  name: string
  entries: AskedEntry[]
}

/** `getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"`; undefined when none is here. */
function options(cursor: Cursor, limit: number): Options | undefined {
  if (!cursor.match(/(?=\([A-Za-z])/y)) return undefined
  const found: Options = { maxSize: undefined, depth: 0 }
  cursor.list(() => {
    const option = cursor.word('Option')
    cursor.sp()
    if (option === 'MAXSIZE') found.maxSize = cursor.number()
    else if (option === 'DEPTH') found.depth = depth(cursor)
    else throw bad(`Unknown option ${option.slice(0, 40)}`)
  }, limit)
  cursor.sp()
  return found
}

/** `"DEPTH" SP ("0" / "1" / "infinity")` */
function depth(cursor: Cursor): Depth {
  const word = cursor.word('Depth')
  if (word === 'INFINITY') return 'infinity'
  if (word !== '0' && word !== '1') throw bad('0, 1 or infinity expected')
  return word === '0' ? 0 : 1
}

const getMetadata = {
  name: 'GETMETADATA',
  rfc: 'RFC 5464 §4.2',
  states: loggedIn,
  effects: {},
  /** `"GETMETADATA" [SP getmetadata-options] SP mailbox SP entries`; clients put the options behind the name too. */
  parse(cursor, session) {
    const limit = session.service.limits.parameters
    cursor.sp()
    const before = options(cursor, limit)
    const name = annotated(cursor, session)
    cursor.sp()
    const { maxSize, depth } = before ?? options(cursor, limit) ?? { maxSize: undefined, depth: 0 }
    return { name, maxSize, depth, entries: askedEntries(cursor, limit) }
  },
  async run(session, { name, entries, maxSize, depth }) {
    const mailbox = name === '' ? undefined : await requireAnnotated(session, name)
    const told = chosen(await readAnnotations(session, mailbox), entries, depth)
    const size = (value: Buffer | null): number => value?.length ?? 0
    const fitting = maxSize === undefined ? told : told.filter(({ value }) => size(value) <= maxSize)
    sayMetadata(session, mailbox, fitting)
    if (fitting.length === told.length) return undefined
    return { code: `METADATA LONGENTRIES ${Math.max(...told.map(({ value }) => size(value)))}` }
  },
} satisfies Command<GetArgs>

interface SetArgs {
  name: string
  changes: AnnotationChange[]
}

function tooLarge(): ImapRefusal {
  return no(`METADATA MAXSIZE ${annotationLimits.octets}`, 'The value is too large')
}

async function set(session: Session, { name, changes }: SetArgs): Promise<undefined> {
  const mailbox = name === '' ? undefined : await requireAnnotated(session, name)
  for (const { entry, value } of changes) {
    requireMaySet(session, mailbox, entry)
    if (value && value.length > annotationLimits.octets) throw tooLarge()
  }
  if (mailbox && changes.some(({ entry }) => entry === specialUseEntry)) {
    await setSpecialUse(session, mailbox, changes)
    return undefined
  }
  const modSeq = await session.service.annotations
    .annotate(mailbox?.id ?? 'server', session.user.id, changes)
    .catch((error: unknown) => {
      if (error instanceof StoreError && error.reason === 'limit') throw no('METADATA TOOMANY', error.message)
      throw error
    })
  for (const { entry } of changes) {
    if (mailbox) wasSet(session, mailbox.id, entry, modSeq)
    else wasSetOnServer(session, entry)
  }
  if (mailbox) session.service.mailboxes.touch(mailbox.id)
  return undefined
}

/** Others are told of it, the session is not. */
function wasSet({ notifier, view, enabled }: Session, mailbox: MailboxId, entry: string, modSeq: ModSeq): void {
  notifier?.own.annotated(mailbox, entry, modSeq)
  if (view?.open.mailbox.id === mailbox && enabled.has('METADATA')) view.annotations.own.set(entry, modSeq)
}

function wasSetOnServer({ notifier, service, user }: Session, entry: string): void {
  service.signals.serverAnnotated(entry, isPrivateEntry(entry) ? user.id : undefined, notifier)
}

const setMetadata = {
  name: 'SETMETADATA',
  rfc: 'RFC 5464 §4.3',
  states: loggedIn,
  effects: {},
  /** `"SETMETADATA" SP mailbox SP "(" entry SP value *(SP entry SP value) ")"`; the last value of an entry counts. */
  parse(cursor, session) {
    cursor.sp()
    const name = annotated(cursor, session)
    cursor.sp()
    const changes = new Map<string, AnnotationChange>()
    cursor.someOf(
      'Entry',
      () => {
        const entry = entryName(cursor)
        cursor.sp()
        changes.set(entry, { entry, value: entryValue(cursor) })
      },
      session.service.limits.parameters,
    )
    return { name, changes: [...changes.values()] }
  },
  run: set,
  /** What is too large is refused before it is sent. */
  literal(_, __, ___, { size }) {
    if (size > annotationLimits.octets) throw tooLarge()
    return undefined
  },
} satisfies Command<SetArgs>

/** Unsolicited: names alone, and not what the session has set itself (RFC 5464 §4.4.2). */
async function tell(session: Session, view: View): Promise<void> {
  const { annotations: told, open } = view
  const { modSeq: upTo } = open
  const changed = await changedAnnotations(session, open.mailbox.id, told.modSeq)
  // Not before: what could not be read is read with the next changes.
  told.modSeq = upTo
  const others = changed.filter(({ entry, modSeq }) => modSeq !== told.own.get(entry))
  for (const [entry, modSeq] of told.own) if (modSeq <= told.modSeq) told.own.delete(entry)
  if (others.length === 0 || session.view !== view) return
  for (const { modSeq } of others) if (modSeq > told.modSeq) told.modSeq = modSeq
  const names = others.map(({ entry }) => printEntry(entry))
  session.untagged(`METADATA ${printMailbox(view.name, session.utf8Names)} ${names.join(' ')}`)
}

export const metadata: Extension = {
  name: 'METADATA',
  rfc: 'RFC 5464',
  capabilities: [{ name: 'METADATA' }, { name: 'METADATA-SERVER' }],
  commands: [getMetadata, setMetadata],
  enables: [{ name: 'METADATA' }, { name: 'METADATA-SERVER' }],
  onChanged(session, view) {
    if (!session.enabled.has('METADATA')) return undefined
    return view.annotations.modSeq < view.open.modSeq ? tell(session, view) : undefined
  },
}
