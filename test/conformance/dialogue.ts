/**
 * Dialogue files: what a client sends and what the server must answer, one behaviour a file. The file is the test; this
 * plays it. Lines:
 *
 *     # a title or a remark
 *     @service submission        which listener (smtp, submission, submissions, lmtp, pop3, pop3s)
 *     @set require-tls off       a setting of the host, see `host.ts`
 *     C: EHLO client.test        sent with CRLF; \r \n \0 \t \xNN are octets
 *     C+ text                    sent as it is, without CRLF
 *     S: 250 2.1.0 Ok            the next line; `*` stands for anything
 *     S...                       lines up to and including the last one of a multi-line reply
 *     S? 250-SIZE *              one of the lines of the multi-line reply that follows, in any place (before its `S...`)
 *     TLS                        the client's handshake
 *     SILENT                     nothing has come, and nothing comes while everybody gets his turn
 *     EOF                        the server closes
 *     CLOSE / RESET              the client does
 *     @advance 11m               moves the clock
 *     @wait 5m                   socket timeouts of so long run out
 *     @client 198.51.100.1       where the connections that follow come from
 *     @drain                     the server goes down
 *     @mailbox bob@one.test 2    INBOX of the account has so many messages
 *     @limit messagesPerDay 10   what an account may send
 *     @check dmarc quarantine    the MX checks strangers' mail; an entry of its policy (`on` alone: as it is)
 *     @record two.test TXT …     a record of the DNS that the checks ask; `@broken two.test`: SERVFAIL there
 *     @finding spf pass          a journey has this finding; `@verdict reject dnsbl` likewise
 *     @next-hop a@office.test refused 550 5.1.1 No   what its next hop says of a recipient; `@finding` tells that it did
 *     @junk bob@one.test 1       the account's Junk has so many messages
 *     @copy-sent bob@one.test    what the account submits is filed in its Sent; `@sent bob@one.test 1` counts there
 *     @suspend bob@one.test      the account is suspended
 *     @queue 1                   the queue has so many entries; `@staged 0`: so many contents are under way
 *     [second]                   what follows is another connection's, `[first]` goes back
 */

import type { Duplex } from 'node:stream'
import { connect as tlsConnect } from 'node:tls'
import { expect } from 'vitest'
import type { Host } from './host.ts'

const waitMs = 10_000

class Client {
  #stream: Duplex
  #received = ''
  #ended = false
  #wake: (() => void) | undefined

  constructor(stream: Duplex) {
    this.#stream = stream
    this.#listen()
  }

  #listen(): void {
    this.#stream.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
      this.#wake?.()
    })
    const ended = (): void => {
      this.#ended = true
      this.#wake?.()
    }
    this.#stream.on('end', ended)
    this.#stream.on('close', ended)
    this.#stream.on('error', ended)
  }

  send(text: string): void {
    this.#stream.write(text, 'latin1')
  }

  close(): void {
    this.#stream.end()
  }

  reset(): void {
    ;(this.#stream as Duplex & { resetAndDestroy?: () => void }).resetAndDestroy?.()
  }

  destroy(): void {
    this.#stream.destroy()
  }

  /** The next line without CRLF; undefined at the end. */
  async line(): Promise<string | undefined> {
    const until = AbortSignal.timeout(waitMs)
    for (;;) {
      const end = this.#received.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#received.slice(0, end)
        this.#received = this.#received.slice(end + 2)
        return line
      }
      if (this.#ended) return this.#received === '' ? undefined : this.#received
      if (until.aborted) throw new Error(`no line came; so far: ${JSON.stringify(this.#received)}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        until.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  /** What has come and was not read yet, once all that is under way has come. */
  async silent(): Promise<string> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    return this.#received
  }

  async startTls(): Promise<void> {
    this.#stream.removeAllListeners()
    const secure = tlsConnect({ socket: this.#stream, rejectUnauthorized: false })
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve)
      secure.once('error', reject)
    })
    this.#stream = secure
    this.#listen()
  }
}

/** Plays a dialogue against a host; throws with the file's line number where it goes wrong. */
export async function playDialogue(text: string, host: Host): Promise<void> {
  const clients = new Map<string, Client>()
  const anywhere: string[] = []
  let service = 'smtp'
  let name = 'first'
  const client = async (): Promise<Client> => {
    const present = clients.get(name)
    if (present) return present
    const made = new Client(await host.connect(service))
    clients.set(name, made)
    return made
  }
  try {
    for (const [index, raw] of text.split('\n').entries()) {
      const line = raw.replace(/\r$/, '')
      const at = `line ${index + 1}: ${line}`
      const [, word = '', rest = ''] = /^(\S+?:|\S+)(?: (.*))?$/.exec(line) ?? []
      if (line.trim() === '' || line.startsWith('#')) continue
      const other = /^\[(\w+)\]$/.exec(line)
      if (other) name = other[1] as string
      else if (word === '@service') service = rest
      else if (word.startsWith('@')) await host.direct(word.slice(1), rest.split(' '), at)
      else if (word === 'C:') (await client()).send(`${unescaped(rest)}\r\n`)
      else if (word === 'C+') (await client()).send(unescaped(rest))
      else if (word === 'S:') expect(await (await client()).line(), at).toMatch(pattern(rest))
      else if (word === 'S?') anywhere.push(rest)
      else if (word === 'S...') await wholeReply(await client(), anywhere.splice(0), at)
      else if (word === 'TLS') await (await client()).startTls()
      else if (word === 'SILENT') expect(await (await client()).silent(), at).toBe('')
      else if (word === 'EOF') expect(await (await client()).line(), at).toBeUndefined()
      else if (word === 'CLOSE') (await client()).close()
      else if (word === 'RESET') (await client()).reset()
      else throw new Error(`not a line of a dialogue: ${at}`)
    }
  } finally {
    for (const open of clients.values()) open.destroy()
  }
}

/** Lines up to the last one of an SMTP reply (`250 `) or of a POP3 multi-line response (`.`). */
async function wholeReply(client: Client, wanted: string[], at: string): Promise<void> {
  const lines: string[] = []
  for (;;) {
    const line = await client.line()
    if (line === undefined) throw new Error(`the reply did not end: ${at}`)
    lines.push(line)
    if (line === '.' || /^\d{3} /.test(line) || line.startsWith('-ERR')) break
  }
  for (const text of wanted) expect(lines, at).toContainEqual(expect.stringMatching(pattern(text)))
}

function pattern(text: string): RegExp {
  return new RegExp(
    `^${unescaped(text)
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')}$`,
    's',
  )
}

function unescaped(text: string): string {
  const named: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' }
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/\\(?:x([0-9a-f]{2})|([rnt0\\]))/gi, (_, hex: string | undefined, short: string) =>
      hex === undefined ? (named[short] ?? short) : String.fromCharCode(Number.parseInt(hex, 16)),
    )
}
