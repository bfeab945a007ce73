import { type AccountId, type Mailbox, type MailboxId, modSeq, turnTaking, uid } from '@pennypost/model'
import { hasRight, sharedMailbox, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { attributesOf, sayList } from '../commands/list.ts'
import { printMailbox } from '../grammar/mailbox.ts'
import type { HierarchyName } from '../list/hierarchy.ts'
import { printEntry } from '../metadata/entries.ts'
import { changedAnnotations, mayAnnotate } from '../metadata/read-annotations.ts'
import type { Session } from '../session/session.ts'
import type { View } from '../view/view.ts'
import { compareNames, type Names } from './compare-names.ts'
import { type Events, eventsOf, type Wanted } from './groups.ts'
import type { OwnChanges } from './own-changes.ts'
import { changedItems, firstItems, sayCounts } from './status-items.ts'
import { absent, type ToldNames } from './told-names.ts'

/**
 * Mailboxes that are not selected, as the session was last told of them: what differs from that is told (RFC 5465 §5).
 * Names come as LIST, numbers as STATUS, annotations as METADATA; never the messages of the selected mailbox.
 */
export class OtherMailboxes {
  readonly #session: Session
  readonly #groups: Wanted['groups']
  readonly #own: OwnChanges
  readonly #told: ToldNames
  /** Names said to be \NoAccess, and the mailboxes that had them: those may get other names until they can be read again. */
  readonly #noAccess = new Set<string | MailboxId>()
  /** What is wanted of names that are not subscribed, and of those that are: of many names and many groups it costs to ask. */
  readonly #events = [new Map<string, Events>(), new Map<string, Events>()] as const

  constructor(session: Session, groups: Wanted['groups'], told: ToldNames, own: OwnChanges) {
    this.#session = session
    this.#groups = groups
    this.#told = told
    this.#own = own
  }

  get wantsServer(): boolean {
    return this.#groups.some((group) => group.serverMetadata)
  }

  /** How many mailboxes the groups mean. */
  async watched(names: Names): Promise<number> {
    for (const known of this.#events) if (known.size > 2 * names.size) known.clear()
    const turn = turnTaking()
    let count = 0
    for (const name of names.values()) {
      const othersTurn = turn()
      if (othersTurn) await othersTurn
      if (name.mailbox && isWanted(this.#eventsOf(name))) count++
    }
    return count
  }

  /** The accounts whose mailboxes are watched. */
  owners(): Set<AccountId> {
    const owners = new Set<AccountId>()
    for (const name of this.#told.all.values()) {
      if (name.mailbox && isWanted(this.#eventsOf(name))) owners.add(name.mailbox.account)
    }
    return owners
  }

  /** From here on; with the numbers that there are, if the client wants them. */
  begin(names: Map<string, HierarchyName>, status: boolean): void {
    this.#told.learn(names)
    for (const name of names.values()) {
      const { mailbox } = name
      if (!mailbox) continue
      const events = this.#eventsOf(name)
      if (!isWanted(events)) continue
      if (!hasRight(mailbox, 'r')) {
        this.#sayNoAccess(name)
        name.mailbox = uncounted(mailbox)
      } else if (status && events.messages && !this.#isSelected(mailbox)) {
        sayCounts(this.#session, name.name, mailbox, firstItems(this.#session, events))
      }
    }
  }

  /** @param names as they are now, all of them. What fails for one keeps back no other. */
  async tell(names: Map<string, HierarchyName>): Promise<void> {
    const before = this.#told.all
    const known = new Map<string, VisibleMailbox>()
    const knownById = new Map<MailboxId, VisibleMailbox>()
    for (const { name, mailbox } of before.values()) {
      if (!mailbox) continue
      known.set(name, mailbox)
      knownById.set(mailbox.id, mailbox)
    }
    const failures: unknown[] = []
    this.#told.learn(names)
    await this.#tellNames(known, before, names)
    for (const name of names.values()) {
      const { mailbox } = name
      if (!mailbox) continue
      await this.#tellMailbox(name, mailbox, known.get(name.name), knownById.get(mailbox.id)).catch((error) =>
        failures.push(error),
      )
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Whether anything in it is to be told; never in one whose name is not known. */
  tellsOf(id: MailboxId): boolean {
    const name = this.#told.byId(id)
    return name !== undefined && isWanted(this.#eventsOf(name))
  }

  /** @param now what is in it; its name and rights stand as they were told */
  async tellOne(now: Mailbox): Promise<void> {
    const name = this.#told.byId(now.id)
    const old = name?.mailbox
    if (!old) return
    name.mailbox = old.shared
      ? sharedMailbox(now, old.name, old.shared.rights)
      : { ...now, name: old.name, specialUse: old.specialUse }
    await this.#tellMailbox(name, name.mailbox, old, old)
  }

  /**
   * It is selected no more, and one of the others again: true when the session has not been told which messages are in it, or
   * of their flags, since NOTIFY asked for nothing of the selected mailbox, or because expunges were kept back.
   */
  left({ open, count, told, settledModSeq }: View): boolean {
    const messages = count + told.own.messages
    const uidNext = Math.max(told.uidNext, told.own.uidNext)
    const name = this.#told.byId(open.mailbox.id)
    const known = name?.mailbox
    if (!known) return false
    const knowsFlags = known.highestModSeq <= settledModSeq || !this.#eventsOf(name).flags
    if (knowsFlags && known.messages === messages && known.uidNext <= uidNext) return false
    name.mailbox = { ...known, messages, uidNext: uid(uidNext) }
    if (!knowsFlags) name.mailbox = { ...name.mailbox, highestModSeq: modSeq(settledModSeq), unseen: unknownUnseen }
    return true
  }

  /**
   * @param counted the one that the client knows by this name: what became of numbers is said by name
   * @param before itself, by whatever name
   */
  async #tellMailbox(
    name: HierarchyName,
    mailbox: VisibleMailbox,
    counted: VisibleMailbox | undefined,
    before: VisibleMailbox | undefined,
  ): Promise<void> {
    const events = this.#eventsOf(name)
    if (!isWanted(events)) return
    if (!this.#mayRead(name, mailbox)) {
      name.mailbox = uncounted(mailbox)
      return
    }
    this.#tellCounts(name.name, mailbox, events, counted)
    if (!events.metadata || !before) return
    try {
      await this.#tellAnnotations(name.name, mailbox, before)
    } catch (error) {
      // They are looked for again from where they were told.
      name.mailbox = { ...mailbox, highestModSeq: before.highestModSeq }
      throw error
    }
  }

  /** Says by name what was set on the server. */
  tellServer(entries: ReadonlySet<string>): void {
    if (entries.size === 0) return
    const names = [...entries].sort().map(printEntry)
    this.#session.untagged(`METADATA "" ${names.join(' ')}`)
  }

  // --- names ---

  /** @param known mailboxes by the names that the client knows; afterwards by those that it knows then */
  async #tellNames(known: Map<string, VisibleMailbox>, before: Names, now: Names): Promise<void> {
    const isTold = new Set<string>()
    const isWanted = (name: string): boolean => this.#wantsName(name, before, now)
    for (const { name, old, gone } of await compareNames(known, now, isWanted)) {
      const here = now.get(name)
      this.#sayHere(here && !(gone && here.mailbox) ? here : absent(name), old)
      isTold.add(name)
    }
    for (const name of new Set([...before.keys(), ...now.keys()])) {
      const subscribed = now.get(name)?.subscribed ?? false
      if (subscribed === (before.get(name)?.subscribed ?? false) || isTold.has(name)) continue
      if (this.#wantedOf(name, true).subscriptions) this.#sayHere(now.get(name) ?? absent(name))
    }
    for (const old of before.values()) {
      const { name, mailbox } = old
      // RFC 5465 §5.9; who is told of names is told that it is not there, or what it is called now.
      if (!mailbox?.shared || now.get(name)?.mailbox || isTold.has(name)) continue
      const newName = this.#told.byId(mailbox.id)?.name
      if (newName !== undefined && [name, newName].some((each) => this.#wantsName(each, before, now))) continue
      if (!this.#eventsOf(old).messages || this.#noAccess.has(name)) continue
      this.#sayNoAccess(now.get(name) ?? absent(name))
      if (newName === undefined) this.#noAccess.add(mailbox.id)
    }
    const { view } = this.#session
    const selected = view && this.#told.byId(view.open.mailbox.id)
    if (!selected) return
    const isKnown = known.get(selected.name)?.id === view.open.mailbox.id
    // The client knows it by this name from here on.
    if (isKnown || this.#wantsName(selected.name, before, now)) view.name = selected.name
  }

  #wantsName(name: string, before: Names, now: Names): boolean {
    const subscribed = (before.get(name)?.subscribed || now.get(name)?.subscribed) ?? false
    return this.#wantedOf(name, subscribed).names
  }

  #sayHere(name: HierarchyName, oldName?: string): void {
    if (name.mailbox && !hasRight(name.mailbox, 'r')) this.#sayNoAccess(name, oldName)
    else this.#sayAccess(name, oldName)
  }

  #sayNoAccess(name: HierarchyName, oldName?: string): void {
    this.#noAccess.add(name.name)
    if (name.mailbox) this.#noAccess.add(name.mailbox.id)
    this.#sayName(name, ['\\NoAccess'], oldName)
  }

  #sayAccess(name: HierarchyName, oldName?: string): void {
    this.#noAccess.delete(name.name)
    if (name.mailbox) this.#noAccess.delete(name.mailbox.id)
    this.#sayName(name, attributesOf(name, '\\NonExistent'), oldName)
  }

  #sayName({ name, subscribed }: HierarchyName, attributes: readonly string[], oldName?: string): void {
    const all = subscribed ? [...attributes, '\\Subscribed'] : attributes
    const old = oldName === undefined ? [] : [printMailbox(oldName, this.#session.utf8Names)]
    sayList(this.#session, name, all, 'OLDNAME', old)
  }

  // --- numbers and annotations ---

  /** Says it when that has changed. */
  #mayRead(name: HierarchyName, mailbox: VisibleMailbox): boolean {
    const isNoAccess = this.#noAccess.has(name.name) || this.#noAccess.has(mailbox.id)
    const mayRead = hasRight(mailbox, 'r')
    if (mayRead && isNoAccess) this.#sayAccess(name)
    else if (!mayRead && !isNoAccess) this.#sayNoAccess(name)
    return mayRead
  }

  #tellCounts(name: string, mailbox: VisibleMailbox, events: Events, old: VisibleMailbox | undefined): void {
    if (!events.messages || this.#isSelected(mailbox)) return
    const isAnother = old !== undefined && old.id !== mailbox.id
    const own = isAnother ? undefined : this.#own.counts.get(mailbox.id)
    const before = { ...(old ?? unknownBefore(mailbox)) }
    if (own) {
      before.messages += own.messages
      before.uidNext = Math.max(before.uidNext, own.uidNext) as typeof before.uidNext
      // All that has come or gone is one's own: so is what else differs, but for flags that were kept back.
      const isOwn = before.messages === mailbox.messages && before.uidNext === mailbox.uidNext
      if (isOwn && before.unseen !== unknownUnseen) return
    }
    // Annotations raise the MODSEQ too.
    const annotated = this.#own.annotations.get(mailbox.id)
    if (annotated && [...annotated.values()].includes(mailbox.highestModSeq))
      before.highestModSeq = mailbox.highestModSeq
    const items = changedItems(this.#session, events, before, mailbox)
    if (items.length > 0) sayCounts(this.#session, name, mailbox, items)
  }

  async #tellAnnotations(name: string, mailbox: VisibleMailbox, { id, highestModSeq }: VisibleMailbox): Promise<void> {
    if (mailbox.highestModSeq <= highestModSeq || !mayAnnotate(mailbox)) return
    const session = this.#session
    // The session is told of these in another way.
    if (session.enabled.has('METADATA') && this.#isSelected(mailbox)) return
    const changed = await changedAnnotations(session, id, highestModSeq)
    const own = this.#own.annotations.get(id)
    const entries = changed
      // What has come since is told next.
      .filter(({ entry, modSeq }) => modSeq <= mailbox.highestModSeq && own?.get(entry) !== modSeq)
      .map(({ entry }) => printEntry(entry))
    if (entries.length > 0) session.untagged(`METADATA ${printMailbox(name, session.utf8Names)} ${entries.join(' ')}`)
  }

  #isSelected({ id }: VisibleMailbox): boolean {
    return this.#session.view?.open.mailbox.id === id
  }

  #eventsOf({ name, subscribed }: HierarchyName): Events {
    return this.#wantedOf(name, subscribed)
  }

  #wantedOf(name: string, subscribed: boolean): Events {
    const known = this.#events[subscribed ? 1 : 0]
    let events = known.get(name)
    if (!events) known.set(name, (events = eventsOf(this.#groups, name, subscribed)))
    return events
  }
}

/** How many were unseen by what a session was told is counted nowhere: whatever their number is, it is another one. */
const unknownUnseen = -1

function isWanted({ messages, names, subscriptions, metadata }: Events): boolean {
  return messages || names || subscriptions || metadata
}

/** A mailbox that may not be read: when it may be again, its numbers are told. */
function uncounted(mailbox: VisibleMailbox): VisibleMailbox {
  return { ...mailbox, uidNext: 0 as VisibleMailbox['uidNext'], uidValidity: 0 as VisibleMailbox['uidValidity'] }
}

/** A mailbox that was not there: empty, and another one than what may have had the name. */
function unknownBefore(mailbox: VisibleMailbox): VisibleMailbox {
  const uidNext = (mailbox.messages > 0 ? 1 : mailbox.uidNext) as VisibleMailbox['uidNext']
  return { ...mailbox, messages: 0, unseen: 0, uidNext, uidValidity: 0 as VisibleMailbox['uidValidity'] }
}
