import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { certificate, key } from './scripted-certificate.ts'
import type { Answer, ScriptedServerOptions, ScriptedTransaction, Verb } from './scripted-server.ts'

/**
 * One connection of the scripted server: reads commands in order, answers each by the script or by what a plain server
 * would say. For tests only: it keeps everything, has no limits, and breaks the rules wherever the script says so.
 */
export class ScriptedSession {
  /** Every command line as received. */
  readonly commands: string[] = []
  /** Octets in each piece that came, so that a test sees what went out in one write. */
  readonly pieces: number[] = []
  secure = false
  readonly #options: ScriptedServerOptions
  readonly #counts = new Map<Verb, number>()
  readonly #finished: (transaction: ScriptedTransaction) => void
  #stream: Duplex
  #held: Buffer = Buffer.alloc(0)
  #wake: () => void = () => {}
  #ended = false
  #mail: string | null = null
  #recipients: string[] = []
  #chunks: Buffer[] = []

  constructor(stream: Duplex, options: ScriptedServerOptions, finished: (transaction: ScriptedTransaction) => void) {
    this.#stream = stream
    this.#options = options
    this.#finished = finished
    this.#listen()
  }

  async run(): Promise<void> {
    await this.#answer('GREETING', '', '220 scripted.test ESMTP')
    while (!this.#ended) {
      const line = await this.#line()
      if (line === null) return
      this.commands.push(line)
      const verb = line.split(' ', 1)[0]!.toUpperCase()
      await this.#command(verb, line.slice(verb.length + 1))
    }
  }

  drop(): void {
    this.#ended = true
    this.#stream.destroy()
    this.#wake()
  }

  async #command(verb: string, argument: string): Promise<void> {
    switch (verb) {
      case 'EHLO':
      case 'LHLO':
        return this.#hello(verb, argument)
      case 'HELO':
        await this.#answer('HELO', argument, '250 scripted.test')
        return
      case 'MAIL':
        if (await this.#answer('MAIL', argument, '250 2.1.0 Ok')) this.#mail = argument
        return
      case 'RCPT':
        if (this.#mail === null) await this.#write('503 5.5.1 MAIL first')
        else if (await this.#answer('RCPT', argument, '250 2.1.5 Ok')) this.#recipients.push(argument)
        return
      case 'DATA':
        return this.#data()
      case 'BDAT':
        return this.#bdat(argument)
      case 'STARTTLS':
        return this.#startTls(this.#scripted('STARTTLS', '', true) ?? '220 2.0.0 Go ahead')
      case 'AUTH':
        return this.#auth(argument)
      case 'RSET':
        this.#reset()
        await this.#answer('RSET', '', '250 2.0.0 Ok')
        return
      case 'QUIT':
        await this.#answer('QUIT', '', '221 2.0.0 Bye')
        this.#ended = true
        this.#stream.end()
        return
      default:
        await this.#answer('OTHER', `${verb} ${argument}`, '500 5.5.2 Command not recognized')
    }
  }

  async #hello(verb: 'EHLO' | 'LHLO', argument: string): Promise<void> {
    const lines = ['scripted.test', ...(this.#options.capabilities ?? [])].filter(
      (line) => line !== 'STARTTLS' || !this.secure,
    )
    const reply = lines.map((line, at) => `250${at === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n')
    await this.#answer(verb, argument, reply)
  }

  async #auth(argument: string): Promise<void> {
    const answers = [argument.split(' ')[0]!]
    const wanted = answers[0]!.toUpperCase() === 'LOGIN' ? 2 : 1
    if (argument.includes(' ')) answers.push(argument.slice(answers[0]!.length + 1))
    while (answers.length <= wanted) {
      await this.#write('334 ')
      const line = await this.#line()
      if (line === null) return
      answers.push(line)
    }
    const decoded = answers.slice(1).map((answer) => Buffer.from(answer, 'base64').toString())
    await this.#answer('AUTH', decoded.join(' '), '235 2.7.0 Ok')
  }

  async #data(): Promise<void> {
    const none = this.#recipients.length === 0 ? '554 5.5.1 No valid recipients' : '354 Go ahead'
    if (!(await this.#answer('DATA', '', none))) return
    const content: string[] = []
    let octets = 0
    for (;;) {
      const line = await this.#line(true)
      if (line === null) return
      if (line === '.\r\n') break
      content.push(line.startsWith('.') ? line.slice(1) : line)
      octets += line.length
      if (await this.#inContent(octets)) return
    }
    await this.#finish(Buffer.from(content.join(''), 'latin1'))
  }

  async #bdat(argument: string): Promise<void> {
    const [size, last] = argument.split(' ')
    const chunk = await this.#octets(Number(size))
    if (chunk === null) return
    if (this.#recipients.length === 0) return this.#write('503 5.5.1 RCPT first')
    this.#chunks.push(chunk)
    if (await this.#inContent(Buffer.concat(this.#chunks).length)) return
    if (last) await this.#finish(Buffer.concat(this.#chunks))
    else await this.#answer('BDAT', argument, `250 2.0.0 ${size} octets`)
  }

  /** Plays an answer that is due in the midst of content; true when the session ended by it. */
  async #inContent(octets: number): Promise<boolean> {
    // A function answers for whole content; only what is written down can say that it is due before.
    if (typeof this.#options.script?.CONTENT === 'function') return false
    const answer = this.#scripted('CONTENT', '', false)
    if (typeof answer !== 'object' || answer.after === undefined) return false
    const declared = Number(/ SIZE=(\d+)/.exec(this.#mail ?? '')?.[1])
    const due = typeof answer.after === 'number' ? answer.after : (declared * Number.parseFloat(answer.after)) / 100
    if (octets < due) return false
    await this.#play(answer)
    return this.#ended
  }

  async #finish(content: Buffer): Promise<void> {
    const { secure } = this
    const recipients = this.#recipients
    const mail = this.#mail ?? ''
    this.#reset()
    const heads = this.#options.protocol === 'lmtp' ? recipients : ['']
    const answers = heads.map((head) => this.#scripted('CONTENT', head, true) ?? '250 2.0.0 Ok: queued as SCRIPTED')
    const accepted = heads.flatMap((head, at) => (isPositive(answers[at]!) ? (head === '' ? recipients : [head]) : []))
    // Recorded before the client can know, so that a test may look as soon as it has its outcome.
    if (accepted.length > 0) this.#finished({ mail, recipients: accepted, content, secure })
    for (const answer of answers) await this.#play(answer)
  }

  #reset(): void {
    this.#mail = null
    this.#recipients = []
    this.#chunks = []
  }

  async #startTls(answer: Answer): Promise<void> {
    if (!isPositive(answer)) {
      await this.#play(answer)
      return
    }
    // The handshake may begin before the write of the 220 is known to have ended.
    this.#stream.removeAllListeners('data')
    this.#stream.pause()
    await this.#play(answer)
    const secured = new TLSSocket(this.#stream, {
      isServer: true,
      ...(this.#options.tls ?? { key, cert: certificate }),
    })
    this.#stream = secured
    this.#held = Buffer.alloc(0)
    this.#reset()
    this.secure = true
    this.#listen()
  }

  /** Answers by the script or by default; whether that was a 2yz or 3yz. */
  async #answer(verb: Verb, argument: string, byDefault: string): Promise<boolean> {
    return this.#play(this.#scripted(verb, argument, true) ?? byDefault)
  }

  #scripted(verb: Verb, argument: string, count: boolean): Answer | undefined {
    const script = this.#options.script?.[verb]
    const nth = this.#counts.get(verb) ?? 0
    if (count) this.#counts.set(verb, nth + 1)
    if (typeof script === 'function') return script(argument, nth, this)
    return Array.isArray(script) ? script[Math.min(nth, script.length - 1)] : script
  }

  async #play(answer: Answer): Promise<boolean> {
    const { reply, drop, delayMs }: Exclude<Answer, string> = typeof answer === 'string' ? { reply: answer } : answer
    if (delayMs !== undefined) {
      const { clock } = this.#options
      if (!clock) throw new Error('a script with delays needs a clock')
      await new Promise<void>((resolve) => clock.after(delayMs, resolve))
    }
    if (reply !== undefined) await this.#write(reply)
    if (drop) this.drop()
    else if (reply === undefined) this.#ended = true
    return isPositive(answer)
  }

  async #write(reply: string): Promise<void> {
    if (this.#ended || this.#stream.destroyed) return
    await new Promise((resolve) => this.#stream.write(`${reply}\r\n`, resolve))
  }

  async #line(withEnd = false): Promise<string | null> {
    for (;;) {
      const end = this.#held.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#held.toString(withEnd ? 'latin1' : 'utf8', 0, withEnd ? end + 2 : end)
        this.#held = this.#held.subarray(end + 2)
        return line
      }
      if (this.#ended) return null
      await this.#more()
    }
  }

  async #octets(count: number): Promise<Buffer | null> {
    while (this.#held.length < count && !this.#ended) await this.#more()
    if (this.#held.length < count) return null
    const octets = this.#held.subarray(0, count)
    this.#held = this.#held.subarray(count)
    return octets
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #listen(): void {
    const ended = (): void => {
      this.#ended = true
      this.#wake()
    }
    this.#stream.on('data', (piece: Buffer) => {
      this.pieces.push(piece.length)
      this.#held = Buffer.concat([this.#held, piece])
      this.#wake()
    })
    this.#stream.on('error', ended)
    this.#stream.on('end', ended)
    this.#stream.on('close', ended)
  }
}

function isPositive(answer: Answer): boolean {
  const reply = typeof answer === 'string' ? answer : answer.reply
  return reply !== undefined && /^[23]/.test(reply)
}
