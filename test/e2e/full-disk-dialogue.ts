/** SMTP, LMTP, POP3 and IMAP spoken word for word, by tests that need to see every reply. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** The last line of an SMTP, LMTP or POP3 answer. */
const replyEnd = /^(\d{3} .*|[+-](?:OK|ERR).*)\r\n$/m

export class Dialogue implements Disposable {
  readonly #socket: Socket
  #heard = ''
  #ended: Error | undefined
  #wake = (): void => {}
  #tag = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (octets: Buffer) => {
      this.#heard += octets.toString('latin1')
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = new Error(`the server closed the connection after ${JSON.stringify(this.#heard)}`)
      this.#wake()
    })
  }

  /** Hears until the pattern matches, and gives all of it. */
  async hear(end: RegExp = replyEnd): Promise<string> {
    while (!end.test(this.#heard)) {
      if (this.#ended) throw this.#ended
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const heard = this.#heard
    this.#heard = ''
    return heard
  }

  async say(line: string, end?: RegExp): Promise<string> {
    this.#socket.write(`${line}\r\n`)
    return this.hear(end)
  }

  /** An IMAP command; gives all responses to it. */
  command(line: string): Promise<string> {
    const tag = `a${++this.#tag}`
    return this.say(`${tag} ${line}`, new RegExp(`^${tag} .*\\r\\n`, 'm'))
  }

  /** APPEND with a synchronizing literal, so that a refusal may come before the octets. */
  async append(mailbox: string, raw: Buffer): Promise<string> {
    const tag = `a${++this.#tag}`
    const first = await this.say(
      `${tag} APPEND ${mailbox} {${raw.length}}`,
      new RegExp(`^(?:\\+|${tag}) .*\\r\\n`, 'm'),
    )
    if (!/^\+ /m.test(first)) return first
    this.#socket.write(raw)
    return this.say('', new RegExp(`^${tag} .*\\r\\n`, 'm'))
  }

  /** A whole transaction; gives the reply that refused or the one to the content. */
  async deliver(to: string, raw: Buffer, size = true): Promise<string> {
    const steps = [`MAIL FROM:<x@elsewhere.test>${size ? ` SIZE=${raw.length}` : ''}`, `RCPT TO:<${to}>`, 'DATA']
    for (const step of steps) {
      const reply = await this.say(step)
      if (/^[45]/.test(reply)) {
        if (step !== steps[0]) await this.say('RSET')
        return reply
      }
    }
    return this.content(raw)
  }

  /** The content, which has no line that begins with a dot, and the reply to it. */
  content(raw: Buffer): Promise<string> {
    this.#socket.write(raw)
    return this.say('.')
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

/** Connects and hears the greeting; greets in turn where the protocol has it. */
export async function openDialogue(port: number, hello?: string): Promise<Dialogue> {
  const dialogue = new Dialogue(connect(port, '127.0.0.1'))
  await dialogue.hear()
  if (hello !== undefined) await dialogue.say(hello)
  return dialogue
}

async function overTls(port: number): Promise<Dialogue> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  return new Dialogue(socket)
}

/** An IMAP session that is logged in and has INBOX open. */
export async function openImapDialogue(port: number, login: string): Promise<Dialogue> {
  const dialogue = await overTls(port)
  await dialogue.hear(/^\* OK .*\r\n/m)
  for (const line of [`LOGIN ${login} secret`, 'SELECT INBOX']) {
    const response = await dialogue.command(line)
    if (!/^a\d+ OK/m.test(response)) throw new Error(`${line}: ${response}`)
  }
  return dialogue
}

/** A POP3 session that is logged in. */
export async function openPop3Dialogue(port: number, login: string): Promise<Dialogue> {
  const dialogue = await overTls(port)
  await dialogue.hear()
  for (const line of [`USER ${login}`, 'PASS secret']) {
    const answer = await dialogue.say(line)
    if (!answer.startsWith('+OK')) throw new Error(`${line}: ${answer}`)
  }
  return dialogue
}
