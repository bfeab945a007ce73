import { type AccountId, type MailboxId, type ModSeq, UidSet } from '@pennypost/model'
import { hierarchyOf } from '../list/hierarchy.ts'
import { no } from '../refusal.ts'
import { Arrivals } from '../search/arrivals.ts'
import type { Session } from '../session/session.ts'
import { Telling } from '../session/telling.ts'
import type { View } from '../view/view.ts'
import { nothingWanted, type Wanted } from './groups.ts'
import { OtherMailboxes } from './other-mailboxes.ts'
import { OwnChanges } from './own-changes.ts'
import type { SignalListener } from './signals.ts'
import { ToldNames } from './told-names.ts'

/**
 * Tells one session, between its commands and while it idles, of the events that NOTIFY asked for (RFC 5465). There is
 * one from the first NOTIFY on; a session without it has nothing of this.
 *
 * Never broken: commands and the telling take turns, so nothing is said within what a command answers; what woke it
 * while it told is told next; whoever does not read is told no more, then dropped.
 */
export class Notifier implements SignalListener, Disposable {
  readonly #session: Session
  readonly #wanted: Wanted
  readonly account: AccountId
  readonly own: OwnChanges
  readonly told = new ToldNames()
  readonly #others: OtherMailboxes
  readonly #watches = new Map<AccountId, Disposable>()
  #signals: Disposable | undefined
  #selectedDue = false
  /** All mailboxes are to be looked at: names may have changed. */
  #namesDue = false
  /** What is due could not be read: not again at once, but with the next wake. */
  #failed = false
  /** Those that a commit has touched. */
  readonly #touched = new Set<MailboxId>()
  /** The selected mailbox whose changes wake it. */
  #view: View | undefined
  #arrived = new Arrivals()
  readonly #serverEntries = new Set<string>()
  readonly #telling = new Telling(
    () => this.tell(),
    () => this.#idling && this.due && !this.#disposed,
  )
  #disposed = false
  /** The session idles: expunges may be told at any time. */
  #idling = false

  constructor(session: Session, wanted: Wanted) {
    this.#session = session
    this.#wanted = wanted
    this.account = session.user.id
    this.own = new OwnChanges(session)
    this.#others = new OtherMailboxes(session, wanted.groups, this.told, this.own)
  }

  /** Events of the selected mailbox. */
  get selected(): Wanted['selected'] {
    return this.#wanted.selected
  }

  /** Begins to watch; NO [NOTIFICATIONOVERFLOW] when there is too much of it. */
  async begin(status: boolean): Promise<void> {
    if (this.#wanted.groups.length === 0) return
    this.#signals = this.#session.service.signals.listen(this)
    // Watched before it is read, so that no commit falls between the two.
    this.#watch([this.account])
    const names = await hierarchyOf(this.#session)
    if ((await this.#others.watched(names)) > this.#session.service.limits.notifyMailboxes) {
      throw no('NOTIFICATIONOVERFLOW', 'Too many mailboxes')
    }
    this.#others.begin(names, status)
    this.#watch([this.account, ...this.#others.owners()])
  }

  // --- what wakes it ---

  namesChanged(): void {
    this.#namesDue = true
    this.#stir()
  }

  #woken(touched: ReadonlyMap<MailboxId, ModSeq> | undefined): void {
    if (!touched) return void this.namesChanged()
    // All of them: whether they are watched is known when the names that are being read are.
    for (const mailbox of touched.keys()) this.#touched.add(mailbox)
    this.#stir()
  }

  serverAnnotated(entry: string): void {
    if (!this.#others.wantsServer) return
    this.#serverEntries.add(entry)
    this.#stir()
  }

  /** Messages that the session has been told to exist: their items follow. */
  arrived(first: number, last: number): void {
    this.#arrived.add(UidSet.ofRanges([[first, last]]), this.selected.fetch)
  }

  /** There is something to tell, as soon as no command runs. */
  get due(): boolean {
    return (
      !this.#failed &&
      (this.#selectedDue ||
        this.#namesDue ||
        this.#touched.size > 0 ||
        this.#serverEntries.size > 0 ||
        this.#hasArrived ||
        this.own.any ||
        ((this.selected.messages || this.#view !== undefined) && this.#session.view !== this.#view))
    )
  }

  get #hasArrived(): boolean {
    return this.selected.messages && (this.#arrived.any || this.#session.view?.contexts.arrivals.any === true)
  }

  #stir(): void {
    if (this.#disposed) return
    this.#failed = false
    if (this.#idling) this.#telling.start()
    else this.#session.host.stir()
  }

  #watch(owners: readonly AccountId[]): void {
    const wanted = new Set(owners)
    for (const [owner, watch] of this.#watches) {
      if (wanted.has(owner)) continue
      watch[Symbol.dispose]()
      this.#watches.delete(owner)
    }
    for (const owner of wanted) {
      if (this.#watches.has(owner)) continue
      this.#watches.set(
        owner,
        this.#session.service.mail.watch(owner, (touched) => this.#woken(touched)),
      )
      // What was committed before that woke nobody.
      this.#namesDue = true
    }
  }

  // --- telling ---

  /** IDLE has begun: what was held back is told, and everything from now on at once. */
  idle(): void {
    this.#idling = true
    this.#selectedDue = true
    this.#telling.start()
  }

  get isTelling(): boolean {
    return this.#telling.isRunning
  }

  /** IDLE is over; resolves when nothing is being told. */
  async idleEnded(): Promise<void> {
    this.#idling = false
    await this.#telling.ended()
  }

  /** Tells what there is; called by the conversation when no command runs. Never rejects. */
  async tell(): Promise<void> {
    const { out, service } = this.#session
    this.#failed = false
    try {
      if (out.backlog > service.limits.notifyBacklog) this.#overflow()
      else await this.#tell()
    } catch (error) {
      this.#session.notRead(error)
      this.#failed = this.#selectedDue = true
      // Which of them were told is not known any more.
      this.#namesDue = this.#wanted.groups.length > 0
    }
    this.own.clear()
    this.#session.push()
  }

  async #tell(): Promise<void> {
    this.#followView()
    if (this.#selectedDue || this.#hasArrived) {
      this.#selectedDue = false
      await this.#tellSelected()
    }
    if (this.#wanted.groups.length === 0 || this.#disposed) return
    if (this.#namesDue) await this.#tellAll()
    else await this.#tellTouched()
    this.#others.tellServer(this.#serverEntries)
    this.#serverEntries.clear()
  }

  async #tellAll(): Promise<void> {
    this.#namesDue = false
    this.#touched.clear()
    const names = await hierarchyOf(this.#session)
    const watched = await this.#others.watched(names)
    if (this.#disposed) return
    if (watched > this.#session.service.limits.notifyMailboxes) return this.#overflow()
    await this.#others.tell(names)
    if (!this.#disposed) this.#watch([this.account, ...this.#others.owners()])
  }

  /** What names there are is as it was: nothing is read but what was touched, by others or by the session itself. */
  async #tellTouched(): Promise<void> {
    const touched = new Set([...this.#touched, ...this.own.mailboxes])
    this.#touched.clear()
    const { mail } = this.#session.service
    for (const id of touched) {
      const mailbox = this.#others.tellsOf(id) ? await mail.mailbox(id, this.account) : undefined
      if (this.#disposed) return
      if (mailbox) await this.#others.tellOne(mailbox)
    }
  }

  async #tellSelected(): Promise<void> {
    const session = this.#session
    const { view } = session
    if (!view || !this.selected.messages) return
    await session.refresh()
    await session.tellMore()
    await session.tellChanges(this.selected.immediate || this.#idling)
    if (session.endIfDeleted()) return
    try {
      await session.tellResults()
    } finally {
      // Whatever becomes of results: what has arrived is told.
      const arrived = this.#arrived
      this.#arrived = new Arrivals()
      arrived.take(view.contexts.arrivals)
      await arrived.tell(session, this.own.uids)
    }
  }

  /** Another mailbox has been selected, or none. */
  #followView(): void {
    const { view } = this.#session
    if (view === this.#view) return
    if (this.#view && this.#others.left(this.#view)) this.#touched.add(this.#view.open.mailbox.id)
    this.#arrived = new Arrivals()
    this.#view = view
    if (!view || !this.selected.messages) return
    view.watch(() => {
      this.#selectedDue = true
      this.#stir()
    })
    this.#selectedDue = true
  }

  /** RFC 5465 §5.8: as after NOTIFY NONE. */
  #overflow(): void {
    const session = this.#session
    session.untagged('OK [NOTIFICATIONOVERFLOW] That is too much: there are no more notifications')
    this[Symbol.dispose]()
    session.notifier = new Notifier(session, nothingWanted)
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    this.#idling = false
    this.#view?.watch(undefined)
    this.#signals?.[Symbol.dispose]()
    for (const watch of this.#watches.values()) watch[Symbol.dispose]()
    this.#watches.clear()
  }
}
