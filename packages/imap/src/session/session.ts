import { type AccountId, type Log, type Right, StoreError } from '@pennypost/model'
import type { Connection } from '@pennypost/transport'
import { requireMailbox } from '../access/find-mailbox.ts'
import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import type { State } from '../command.ts'
import type { DecodedPlace } from '../fetch/decoded.ts'
import type { Notifier } from '../notify/notifier.ts'
import { no } from '../refusal.ts'
import type { View } from '../view/view.ts'
import type { Output } from '../wire/output.ts'
import type { SessionService } from './session-service.ts'
import { tellChanges } from './tell-changes.ts'

/** Who is logged in. */
export interface SessionAccount {
  id: AccountId
  login: string
  admin: boolean
  /** Capabilities that are not to be there for it. */
  disabledCapabilities: readonly string[]
}

/** What the session asks of the conversation that reads for it. */
export interface SessionHost {
  /** A command waits for a line of the client: `giveLine` is to give it. */
  lineWanted(): void
  /** The notifier has something to tell as soon as no command runs. */
  stir(): void
  /** Something was thrown that nobody has foreseen: ends the session after the command that runs. */
  failed(error: unknown): void
  /** Ends the session, whatever it does now, with BYE where that would be understood. */
  end(text: string): void
}

/** One for all: thousands that end at once are not to pay for a stack trace each. */
const sessionIsOver = new StoreError('unavailable', 'the session is over')

/**
 * One client's session from greeting to BYE, as commands and extensions see it: who it is, what it has selected, what
 * it has enabled, and where its responses go. Reading and the order of commands are `Conversation`'s.
 */
export class Session {
  readonly id: string
  /** After login: what of it the account is to see. */
  service: SessionService
  readonly #wholeService: SessionService
  readonly connection: Connection
  readonly out: Output
  readonly host: SessionHost
  readonly log: Log
  account: SessionAccount | undefined
  view: View | undefined
  /** Names given to ENABLE, or implied by other commands, in upper case. */
  readonly enabled = new Set<string>()
  /** The connection ends after the command that runs; set by `bye`. */
  ending = false
  failedLogins = 0
  /** COMPRESS is in force. */
  compressed = false
  /** Of the command that runs. */
  tag = ''
  /** How far it has come in a part that it fetches decoded, piece by piece. */
  decodedUpTo: DecodedPlace | undefined
  /** What tells of events, from the first NOTIFY on (RFC 5465). */
  notifier: Notifier | undefined
  /** Its place among the account's sessions. */
  #place: Disposable | undefined
  readonly #deferred: (() => void)[] = []
  readonly #ifRefused: (() => void)[] = []
  #lineWanted: ((line: Buffer | undefined) => void) | undefined
  #gone: AbortController | undefined
  #isClosed = false

  constructor(id: string, service: SessionService, connection: Connection, out: Output, host: SessionHost) {
    this.id = id
    this.service = this.#wholeService = service
    this.connection = connection
    this.out = out
    this.host = host
    this.log = service.log.child({ session: id })
  }

  get state(): State {
    return this.view ? 'selected' : this.account ? 'authenticated' : 'not authenticated'
  }

  /** Mailbox names are in UTF-8 in both directions. */
  get utf8Names(): boolean {
    return this.enabled.has('IMAP4REV2') || this.enabled.has('UTF8=ACCEPT')
  }

  /** Messages are shown with UTF-8 in their header sections; others get surrogates (RFC 6858). */
  get utf8Messages(): boolean {
    return this.enabled.has('UTF8=ACCEPT')
  }

  get rev2(): boolean {
    return this.enabled.has('IMAP4REV2')
  }

  /** The account; only for commands that need a login. */
  get user(): SessionAccount {
    if (!this.account) throw new Error('no account before login')
    return this.account
  }

  /** The view; only for commands of the selected state. */
  get selected(): View {
    if (!this.view) throw new Error('no mailbox is selected')
    return this.view
  }

  /** Aborted when the connection has closed: for work that takes long and that nobody waits for any more. */
  get gone(): AbortSignal {
    if (!this.#gone) {
      this.#gone = new AbortController()
      if (this.#isClosed) this.#gone.abort(sessionIsOver)
    }
    return this.#gone.signal
  }

  // --- login ---

  /** Begins the authenticated state; NO [LIMIT] when the account has too many sessions. */
  login(account: SessionAccount, actor: SessionAccount['id']): void {
    // Nobody would give its place back.
    if (this.#isClosed) throw sessionIsOver
    const place = this.service.admit(account.id, actor, () =>
      this.host.end('The administrator has ended the sessions of this account'),
    )
    if (!place) throw no('LIMIT', 'Too many connections of this account')
    this.#place = place
    this.account = account
    this.service = this.#wholeService.without(account.disabledCapabilities)
    this.connection.leaveAddressLimit()
    this.log.info({ service: 'imap', login: account.login, remote: this.connection.remote.address }, 'logged in')
  }

  /** Ends it: nothing of the account is left, nor of what was enabled, selected or compressed (RFC 8437 §4). Failed logins stay counted. */
  unauthenticate(): void {
    this.#leave()
    this.connection.returnToAddressLimit()
    this.account = undefined
    this.service = this.#wholeService
    this.enabled.clear()
    this.compressed = false
    this.decodedUpTo = undefined
  }

  // --- mailboxes ---

  /** The mailbox of that name, for something that needs a right on it; NO when it is not to be had. */
  mailbox(name: string, right: Right, missing?: 'NONEXISTENT' | 'TRYCREATE'): Promise<VisibleMailbox> {
    return requireMailbox(this, name, right, missing)
  }

  /** Leaves the selected state. */
  unselect(): void {
    const view = this.view
    if (!view) return
    view.watch(undefined)
    this.view = undefined
    this.service.mailboxes.release(view.open)
  }

  // --- responses ---

  /** `* ` + text + CRLF. */
  untagged(text: string): void {
    this.out.text(`* ${text}\r\n`)
  }

  /** Flushes what was said unasked: a client that does not read loses its connection before what waits for it grows. */
  push(): void {
    this.out.flush()
    if (this.out.backlog > this.service.limits.outputBacklog) this.connection.destroy()
  }

  /** Puts another in its place; one that is ready only when the connection has closed watches nothing. */
  setNotifier(notifier: Notifier | undefined): void {
    this.notifier?.[Symbol.dispose]()
    this.notifier = notifier
    if (this.#isClosed) notifier?.[Symbol.dispose]()
  }

  /**
   * Tells what changed in the selected mailbox, from what is known here; `service.mailboxes` keeps that current. A
   * promise when that is very much: the session says nothing else before it resolves.
   * @param removes the command has expunged messages itself: that is told whatever NOTIFY asked for
   */
  tellChanges(mayExpunge: boolean, removes = false): Promise<void> | undefined {
    const { view, notifier } = this
    if (!view) return undefined
    if (view.contexts.size > 0) view.contexts.tellRemovals(this)
    if (!notifier) return tellChanges(this, view, mayExpunge)
    const before = view.lastUid
    const told = tellChanges(this, view, mayExpunge && (removes || notifier.selected.messages), notifier.selected)
    if (view.lastUid > before) notifier.arrived(before + 1, view.lastUid)
    return told
  }

  /** Says what extensions have to tell of the selected mailbox beside that; a promise when something must be asked. */
  tellMore(): Promise<void> | undefined {
    const { view } = this
    if (!view) return undefined
    const pending = this.service.registry.tellers.flatMap((tell) => tell(this, view) ?? [])
    return pending.length === 0 ? undefined : Promise.all(pending).then(() => {})
  }

  /**
   * Tells what this has changed in results that the client keeps, and of new messages in them what it wants to know;
   * undefined when there is nothing to look for. Where NOTIFY tells of new messages, it says both in one.
   */
  tellResults(): Promise<void> | undefined {
    if (!this.view || this.view.contexts.size === 0) return undefined
    const { contexts } = this.view
    const isNotified = this.notifier !== undefined && this.notifier.selected.fetch.length > 0
    return contexts.tellChanges(this)?.finally(() => (isNotified ? undefined : contexts.arrivals.tell(this)))
  }

  /** The store could not say what has changed: it is told with the next changes. */
  readonly notRead = (error: unknown): void => this.warn(error, 'changes could not be read')

  /**
   * Something beside what a command asks for has failed. That the client goes, or that somebody deletes the mailbox, while it
   * is done is what users do: no reason to warn of.
   */
  warn(error: unknown, text: string): void {
    const isUsual = error instanceof StoreError && (error === sessionIsOver || error.reason === 'no-such-mailbox')
    if (isUsual) this.log.debug({ reason: error.message }, text)
    else this.log.warn({ err: error }, text)
  }

  /** Reads what was committed to the selected mailbox, if anything was. */
  async refresh(): Promise<void> {
    await this.view?.open.catchUp()
  }

  /** Says BYE and ends the connection when the command that runs is over. */
  bye(text: string): void {
    if (this.ending) return
    this.ending = true
    this.untagged(`BYE ${text}`)
  }

  /** Ends the session when its mailbox is gone, also one that idles: what the client knows of it means nothing any more. */
  endIfDeleted(): boolean {
    if (!this.view?.open.deleted) return false
    this.bye('The selected mailbox was deleted')
    this.giveLine(undefined)
    return true
  }

  // --- between parsing and running ---

  /** For parsers: what is to be done once the whole command has been read, before it runs. */
  defer(action: () => void): void {
    this.#deferred.push(action)
  }

  /** For parsers: what is to be done when the command ends in NO, be it for what comes behind in it. */
  ifRefused(action: () => void): void {
    this.#ifRefused.push(action)
  }

  /** Called by the conversation when the command is completed. */
  settleRefused(run: boolean): void {
    settle(this.#ifRefused, run)
  }

  /** Called by the conversation; `run` is false when the command was not well formed. */
  settleDeferred(run: boolean): void {
    settle(this.#deferred, run)
  }

  // --- lines that belong to a running command ---

  /** The next line of the client, for a command that has asked for it by a continuation; undefined when it has gone. */
  readLine(): Promise<Buffer | undefined> {
    this.out.flush()
    return new Promise((resolve) => {
      this.#lineWanted = resolve
      // It may have come already.
      queueMicrotask(() => this.host.lineWanted())
    })
  }

  /** Sends `+ text` and waits for the line that answers it. */
  ask(text: string): Promise<Buffer | undefined> {
    this.out.text(`+ ${text}\r\n`)
    return this.readLine()
  }

  get wantsLine(): boolean {
    return this.#lineWanted !== undefined
  }

  /** Called by the conversation; a line too long comes as one that nobody takes for anything. */
  giveLine(line: Buffer | undefined): void {
    const give = this.#lineWanted
    this.#lineWanted = undefined
    give?.(line)
  }

  /** The connection is gone. */
  close(): void {
    this.#isClosed = true
    this.#gone?.abort(sessionIsOver)
    this.#leave()
    this.giveLine(undefined)
  }

  /** Watches nothing, has nothing selected and takes no place any more. */
  #leave(): void {
    this.setNotifier(undefined)
    this.unselect()
    this.#place?.[Symbol.dispose]()
    this.#place = undefined
  }
}

/** Nothing of them is left; only if `run` they are done. */
function settle(actions: (() => void)[], run: boolean): void {
  if (actions.length === 0) return
  for (const action of actions.splice(0)) if (run) action()
}
