import type { Connection } from '@pennypost/transport'
import { noSuchMailbox } from '../access/find-mailbox.ts'
import type { Command, Completion, LiteralSink, State } from '../command.ts'
import { bad, ImapRefusal, no, refusalOf } from '../refusal.ts'
import { Cursor, type Unit } from '../wire/cursor.ts'
import type { Frame, LiteralOffer } from '../wire/framer.ts'
import { Channel, type ChannelHost } from './channel.ts'
import { CommandReader, discardStreamed, type ReaderHost } from './command-reader.ts'
import { Session, type SessionHost } from './session.ts'
import type { SessionService } from './session-service.ts'

/**
 * The order of things in one connection: octets in, commands one after the other, each with its tagged completion.
 *
 * Never broken:
 * - A command begins when the one before it has said its completion, so pipelined commands see what those before
 *   them did (RFC 9051 §5.5) and no two ever mix their responses.
 * - Commands that are done at once cost no promise; a chunk of them is answered in one write, or one for each turn of
 *   the event loop that they take.
 * - Nothing that a client sends rejects or throws out of here.
 */
export class Conversation implements ChannelHost, ReaderHost, SessionHost {
  readonly session: Session
  readonly #service: SessionService
  readonly #connection: Connection
  readonly #channel: Channel
  readonly #reader: CommandReader
  #busy = false
  /** NOTIFY has had its turn. */
  #told = false
  #closed = false
  #commands = 0
  /** When what is worked began, until it is counted. */
  #began: number | undefined
  #commandsBeforeLogin = 0
  /** The time for a login is over; what is being checked right now still counts. */
  #late = false
  /** The last word, when it is ended in the midst of a command that waits for a line. */
  #lastWord: string | undefined

  constructor(id: string, service: SessionService, connection: Connection) {
    this.#service = service
    this.#connection = connection
    this.#channel = new Channel(connection, service, this)
    this.#reader = new CommandReader(this.#channel.framer, this)
    this.session = new Session(id, service, connection, this.#channel.out, this)
  }

  /** Greets and begins to read. */
  begin(): void {
    const { registry, hostname } = this.#service
    this.#armIdle()
    this.#connection.onDrain(() => this.#endUnlessRunning())
    this.#channel.open()
    this.session.untagged(`OK [CAPABILITY ${registry.capabilities(this.session)}] ${hostname} ready`)
    this.session.out.flush()
  }

  get limits(): SessionService['limits'] {
    return this.#service.limits
  }

  get loggedIn(): boolean {
    return this.session.account !== undefined
  }

  get lineLimit(): number {
    const { line, lineBeforeLogin } = this.limits
    return this.loggedIn ? line : lineBeforeLogin
  }

  // --- what sets it going ---

  /** No command runs, or the one that runs waits for a line. */
  get isReading(): boolean {
    return !this.#busy || this.session.wantsLine
  }

  stir(): void {
    if (this.isReading) this.#pump()
  }

  lineWanted(): void {
    const comesNone = this.#closed || this.session.ending || this.#endReason !== undefined
    if (comesNone) this.session.giveLine(undefined)
    else this.#pump()
  }

  closed(): void {
    if (this.#closed) return
    this.#closed = true
    this.#reader.abandon()
    this.session.close()
    this.session.log.debug({ commands: this.#commands }, 'session closed')
  }

  /** Takes as many frames as can be taken now, then lets the answers go. */
  #pump(): void {
    const { session } = this
    const channel = this.#channel
    while (!this.#closed && !session.ending) {
      if (session.wantsLine) {
        const frame = channel.framer.nextRaw()
        if (!frame) {
          if (channel.hasEnded) session.giveLine(undefined)
          break
        }
        session.giveLine(frame.kind === 'line' ? frame.text : tooLongLine)
        continue
      }
      if (this.#busy) break
      // In turns: events that never end do not keep commands waiting.
      const tells = session.notifier?.due === true
      const frame = tells && !this.#told ? undefined : channel.framer.next()
      this.#told = tells && !frame
      if (!frame) {
        if (this.#told) this.#tell()
        break
      }
      this.#began = this.#service.turns.now()
      // A message may be longer on its way than silence may last.
      if (frame.kind === 'octets' && this.loggedIn) this.#connection.active()
      const pending = this.#take(frame)
      if (!pending) continue
      this.#busy = true
      pending.then(this.#resume, this.#crash)
    }
    session.out.flush()
    channel.flow()
    if (!this.#busy) this.#rest()
  }

  /** What is thrown at once ends this session alone too. */
  #take(frame: Frame): Promise<void> | undefined {
    try {
      return this.#reader.take(frame) ?? this.#others()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #tell(): void {
    this.#busy = true
    this.session.notifier?.tell().then(this.#resume, this.#crash)
  }

  readonly #resume = (): void => {
    const others = this.#others()
    if (others) {
      others.then(this.#resume, this.#crash)
      return
    }
    this.#busy = false
    this.#pump()
  }

  /** Between commands: undefined, or what is waited for, the client to read or other sessions to have their turn. */
  #others(): Promise<void> | undefined {
    const unread = this.session.out.caughtUp()
    const began = this.#began
    if (unread || began === undefined) return unread
    this.#began = undefined
    return this.#service.turns.over(began)
  }

  readonly #crash = (error: unknown): void => {
    this.failed(error)
    this.#resume()
  }

  failed(error: unknown): void {
    this.session.log.error({ err: error }, 'session failed')
    this.session.bye('[UNAVAILABLE] The server has failed here')
    this.session.giveLine(undefined)
  }

  // --- its end ---

  /** Nothing runs: the time to end, or to hold no memory. */
  #rest(): void {
    this.#channel.framer.rest()
    if (this.#closed) return
    if (this.#endReason !== undefined) this.session.bye(this.#endReason)
    if (!this.session.ending && !this.#channel.hasEnded) return
    this.session.out.flush()
    this.session.close()
    this.#channel.end()
  }

  /** Why it ends as soon as the command that runs does: whatever that waits for will not come. */
  get #endReason(): string | undefined {
    if (this.#lastWord !== undefined) return this.#lastWord
    if (this.#late && !this.loggedIn) return 'There was no login for too long'
    return this.#connection.draining ? 'The server goes down now' : undefined
  }

  /** Otherwise it ends behind the command. */
  #endUnlessRunning(): void {
    if (this.isReading && this.#endReason !== undefined) this.end(this.#endReason)
  }

  /**
   * What a command is saying may be in the midst of a literal, where BYE would be a part of the message: the connection ends
   * without a word then. One that waits for a line is over without it, and BYE comes when it has said what it had to say.
   */
  end(text: string): void {
    if (!this.isReading) {
      this.#connection.destroy()
      return
    }
    if (this.#busy) this.#lastWord = text
    else this.session.bye(text)
    this.session.giveLine(undefined)
    if (!this.#busy) this.#rest()
  }

  /** One deadline for all that comes before a login; after it, each command gives the whole time anew. */
  #armIdle(): void {
    const { idleTimeoutMs, loginTimeoutMs } = this.limits
    this.#late = false
    if (this.loggedIn) this.#connection.idleAfter(idleTimeoutMs, () => this.#idle())
    else {
      this.#connection.idleAfter(loginTimeoutMs, () => {
        this.#late = true
        this.#endUnlessRunning()
      })
    }
  }

  #idle(): void {
    if (this.isReading) this.end('Nothing was heard for too long')
    // A long command; a client that does not read its answer is found by the output.
    else this.#armIdle()
  }

  // --- commands ---

  goAhead(): void {
    this.session.out.text('+ Ready\r\n')
    this.session.out.flush()
  }

  /** Decides about a literal from what came before it: only a command that may be given can have one. */
  offer(unit: Unit, offer: LiteralOffer): LiteralSink | undefined | Promise<LiteralSink | undefined> {
    const cursor = new Cursor(unit, this.limits.nesting)
    cursor.tag()
    return this.#recognize(cursor).literal?.(cursor, this.session, unit, offer)
  }

  refused(line: string, refusal: ImapRefusal): void {
    let tag = '*'
    try {
      tag = new Cursor({ lines: [line], literals: [] }, 1).tag()
    } catch {
      // Not even a tag: the answer is untagged.
    }
    this.#begun()
    this.#refuse(tag, refusal)
  }

  command(unit: Unit): Promise<void> | undefined {
    this.#begun()
    const cursor = new Cursor(unit, this.limits.nesting)
    let tag = '*'
    let command: Command
    let args: unknown
    try {
      tag = cursor.tag()
      command = this.#recognize(cursor)
      args = command.parse(cursor, this.session)
      cursor.crlf()
      if (command.effects.writes && this.session.view?.readOnly) {
        throw no('', 'The mailbox is open for reading only')
      }
    } catch (error) {
      this.session.settleDeferred(false)
      discardStreamed(unit)
      this.#refuse(tag, !this.loggedIn && httpRequest.test(unit.lines[0] as string) ? noHttp : error)
      return undefined
    }
    const done = this.#run(tag, command, args)
    if (unit.literals.length === 0) return done
    if (done) return done.finally(() => discardStreamed(unit))
    discardStreamed(unit)
    return undefined
  }

  /** What is behind the tag, up to the arguments; BAD when it is no command that may be given now. */
  #recognize(cursor: Cursor): Command {
    cursor.sp()
    let name = cursor.word('Command')
    if (name === 'UID') {
      cursor.sp()
      name = `UID ${cursor.word('Command')}`
    }
    const command = this.session.service.registry.commands.get(name)
    if (!command) throw bad(`Unknown command ${name.slice(0, 40)}`)
    if (!command.states.includes(this.session.state)) throw bad(`${name} ${whyNotNow(command, this.session.state)}`)
    return command
  }

  #begun(): void {
    this.#commands++
    if (this.loggedIn) {
      this.#connection.active()
      this.#commandsBeforeLogin = 0
    } else if (++this.#commandsBeforeLogin > this.limits.commandsBeforeLogin) {
      this.session.bye('Too many commands without a login')
    }
  }

  #run(tag: string, command: Command, args: unknown): Promise<void> | undefined {
    const open = this.session.view?.open
    // A right that was taken away counts from now on, not from the next command.
    const needsSelected = !command.states.includes('authenticated') && !command.effects.leaves
    if (open?.viewer === undefined || !needsSelected) return this.#runNow(tag, command, args)
    const run = (): Promise<void> | undefined =>
      open.deleted ? this.#fail(tag, command, noSuchMailbox()) : this.#runNow(tag, command, args)
    const pending = open.catchUp()
    return pending ? pending.then(run, (error) => this.#fail(tag, command, error)) : run()
  }

  #runNow(tag: string, command: Command, args: unknown): Promise<void> | undefined {
    const wasLoggedIn = this.loggedIn
    let result: ReturnType<Command['run']>
    this.session.tag = tag
    this.session.settleDeferred(true)
    try {
      result = command.run(this.session, args)
    } catch (error) {
      return this.#fail(tag, command, error)
    }
    const completed = (completion: Completion | undefined): Promise<void> | undefined => {
      if (this.loggedIn !== wasLoggedIn) this.#armIdle()
      return this.#complete(tag, command, completion)
    }
    if (!(result instanceof Promise)) return completed(result)
    return result.then(completed, (error) => this.#fail(tag, command, error))
  }

  #complete(tag: string, command: Command, completion: Completion | undefined): Promise<void> | undefined {
    this.session.settleRefused(false)
    const code = completion?.code ? `[${completion.code}] ` : ''
    const line = `${tag} OK ${code}${completion?.text ?? `${command.name} completed`}\r\n`
    switch (completion?.next) {
      case 'startTls':
        // Without TLS the connection is gone.
        return this.#channel.startTls(line).catch(() => {})
      case 'decompress':
        return this.#channel.decompress(line)
      case 'compress':
        return this.#updates(command, () => this.#channel.compress(line))
      default:
        return this.#updates(command, () => this.session.out.text(line))
    }
  }

  #fail(tag: string, command: Command, error: unknown): Promise<void> | undefined {
    return this.#updates(command, () => this.#refuse(tag, error, command.name))
  }

  /** What others did is told before the completion, as far as this command lets it. */
  #updates(command: Command, complete: () => void): Promise<void> | undefined {
    const { session } = this
    const open = session.view?.open
    const end = (): void => {
      if (this.#lastWord !== undefined) session.bye(this.#lastWord)
      complete()
      session.endIfDeleted()
    }
    if (command.effects.opens) {
      end()
      return undefined
    }
    const say = (): Promise<void> | undefined => {
      const told = session.tellChanges(!command.effects.numbers, command.effects.removes)
      const results = told ? told.then(() => session.tellResults()) : session.tellResults()
      if (results) return results.catch(session.notRead).then(end)
      end()
      return undefined
    }
    const pending = open?.catchUp()
    const more = pending ? pending.then(() => session.tellMore()) : session.tellMore()
    return more ? more.catch(session.notRead).then(say) : say()
  }

  #refuse(tag: string, error: unknown, running?: string): void {
    const { session } = this
    let refusal = refusalOf(error)
    if (!refusal) {
      const facts = { command: running, err: error }
      // Without a client there is no selected mailbox to answer from: that is nobody's fault.
      if (this.#closed) session.log.info(facts, 'command broken off')
      else session.log.error(facts, 'command failed')
      refusal = no('SERVERBUG', 'The server has failed at this; it is in its log')
    }
    session.settleRefused(refusal.kind === 'NO')
    const code = refusal.code ? `[${refusal.code}] ` : ''
    session.out.text(`${tag} ${refusal.kind} ${code}${refusal.message}\r\n`)
    if (refusal.bye !== undefined) session.bye(refusal.bye)
  }
}

function whyNotNow({ states }: Command, state: State): string {
  if (state === 'not authenticated') return 'needs a login first'
  return states.includes('selected') ? 'needs a mailbox to be selected' : 'is not possible after login'
}

/** A browser that was made to talk to this port: what follows is somebody else's text, and is not to be run. */
const httpRequest = / HTTP\/\d(\.\d)?$/
const noHttp = new ImapRefusal('BAD', undefined, 'This is not HTTP', 'An IMAP server is here')

/** What stands for a line that was too long; no SASL response or DONE looks like it. */
const tooLongLine = Buffer.from('*')
