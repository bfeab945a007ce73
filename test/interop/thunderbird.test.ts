/** What Thunderbird says to an IMAP server, command by command: a whole working day of one account. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { type Instance, startInstance } from '../e2e/instance.ts'
import { deliver, letter } from './readers.ts'

class Wire implements AsyncDisposable {
  readonly #socket: TLSSocket
  #heard = ''
  #tag = 0

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => {
      this.#heard += text
    })
  }

  /** Waits for a line of that form; gives all up to its end. */
  async hear(line: RegExp): Promise<string> {
    for (;;) {
      const found = line.exec(this.#heard)
      if (found) {
        const end = this.#heard.indexOf('\r\n', found.index) + 2
        const heard = this.#heard.slice(0, end)
        this.#heard = this.#heard.slice(end)
        return heard
      }
      await once(this.#socket, 'data')
    }
  }

  write(text: string): void {
    this.#socket.write(text)
  }

  /** One command that must succeed; gives its responses. */
  async ok(command: string): Promise<string> {
    const tag = String(++this.#tag)
    this.write(`${tag} ${command}\r\n`)
    const heard = await this.hear(new RegExp(`^${tag} .*\\r\\n`, 'm'))
    expect(heard, command).toMatch(new RegExp(`^${tag} OK`, 'm'))
    return heard
  }

  /** A command with one synchronising literal. */
  async literal(command: string, octets: string): Promise<string> {
    const tag = String(++this.#tag)
    this.write(`${tag} ${command} {${Buffer.byteLength(octets, 'latin1')}}\r\n`)
    await this.hear(/^\+.*\r\n/m)
    this.write(`${octets}\r\n`)
    return this.hear(new RegExp(`^${tag} OK.*\\r\\n`, 'm'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
  }
}

const headers =
  'From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To'
const start = (): Promise<Instance> => startInstance({ domain: 'one.test', accounts: ['bob'] })

async function login(at: Instance): Promise<Wire> {
  const wire = new Wire(at.port('imaps'))
  expect(await wire.hear(/^\* OK .*\r\n/m)).toMatch(/^\* OK/)
  await wire.ok('CAPABILITY')
  const plain = Buffer.from('\0bob@one.test\0secret').toString('base64')
  expect(await wire.ok(`AUTHENTICATE PLAIN ${plain}`)).toMatch(/CAPABILITY/)
  return wire
}

it('the first session: ID, ENABLE, namespaces, special mailboxes, a listing, one letter', async () => {
  await using at = await start()
  for (const subject of ['first', 'second']) await deliver(at, 'bob@one.test', letter(subject))
  await using wire = await login(at)
  expect(await wire.ok('ID ("name" "Thunderbird" "version" "140.3.1")')).toMatch(/^\* ID \("name" "Pennypost"/m)
  expect(await wire.ok('ENABLE UTF8=ACCEPT')).toMatch(/^\* ENABLED UTF8=ACCEPT\r$/m)
  expect(await wire.ok('NAMESPACE')).toMatch(/^\* NAMESPACE \(\("" "\/"\)\) /m)
  const special = await wire.ok('LIST (SPECIAL-USE) "" "*"')
  for (const use of ['Archive', 'Drafts', 'Junk', 'Sent', 'Trash']) expect(special).toContain(`\\${use}`)
  expect(special).not.toContain('INBOX')
  await wire.ok('LIST (SUBSCRIBED) "" "*" RETURN (SPECIAL-USE)')
  await wire.ok('LSUB "" "*"')
  expect(await wire.ok('LIST "" "INBOX"')).toContain('INBOX')
  const selected = await wire.ok('SELECT "INBOX" (CONDSTORE)')
  expect(selected).toMatch(/^\* 2 EXISTS\r\n/m)
  expect(selected).toMatch(/\[HIGHESTMODSEQ \d+\]/)
  expect(await wire.ok('UID FETCH 1:* (FLAGS)')).toMatch(/^\* 1 FETCH \(.*\)\r\n\* 2 FETCH \(.*\)\r\n/m)
  const fields = await wire.ok(`UID FETCH 1:2 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (${headers})])`)
  expect(fields.match(/^Subject: (first|second)\r$/gm)).toHaveLength(2)
  const whole = await wire.ok('UID FETCH 2 (UID RFC822.SIZE BODY.PEEK[])')
  const [, size, octets] = /RFC822\.SIZE (\d+) BODY\[\] \{(\d+)\}/.exec(whole) ?? []
  expect(size).toBe(octets)
  expect(await wire.ok('UID STORE 2 +FLAGS (\\Seen)')).toMatch(/^\* 2 FETCH \(.*FLAGS \(\\Seen.*\).*\)\r$/m)
  expect(await wire.ok('UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)')).toMatch(/UID 2/)
  await wire.ok('LOGOUT')
})

it('new mail while idle, a copy in Sent, a draft replaced, letters to Trash, a mailbox made', async () => {
  await using at = await start()
  await deliver(at, 'bob@one.test', letter('first'))
  await using wire = await login(at)
  await wire.ok('SELECT "INBOX"')
  wire.write('idle IDLE\r\n')
  await wire.hear(/^\+ .*\r\n/m)
  await deliver(at, 'bob@one.test', letter('second'))
  await wire.hear(/^\* 2 EXISTS\r\n/m)
  wire.write('DONE\r\n')
  await wire.hear(/^idle OK.*\r\n/m)
  expect(await wire.ok('UID FETCH 2:* (FLAGS)')).toMatch(/^\* 2 FETCH \(.*UID 2.*\)\r\n/m)
  expect(await wire.literal('APPEND "Sent" (\\Seen)', letter('sent'))).toMatch(/\[APPENDUID \d+ 1\]/)
  await wire.ok('CREATE "Work"')
  await wire.ok('SUBSCRIBE "Work"')
  expect(await wire.ok('LIST (SUBSCRIBED) "" "*"')).toMatch(/ "?Work"?\r$/m)
  expect(await wire.ok('UID COPY 1 "Work"')).toMatch(/\[COPYUID \d+ 1 1\]/)
  expect(await wire.ok('UID MOVE 1 "Trash"')).toMatch(/^\* OK \[COPYUID \d+ 1 1\].*\r\n\* 1 EXPUNGE\r\n/m)
  expect(await wire.ok('STATUS "Trash" (UIDNEXT MESSAGES UNSEEN RECENT)')).toMatch(/MESSAGES 1/)
  await wire.literal('APPEND "Drafts" (\\Draft)', letter('one draft'))
  await wire.ok('SELECT "Drafts"')
  expect(await wire.ok('UID SEARCH UNDELETED HEADER Subject "one draft"')).toMatch(/^\* SEARCH 1\r$/m)
  await wire.ok('UID STORE 1 +FLAGS (\\Deleted \\Seen)')
  expect(await wire.ok('UID EXPUNGE 1')).toMatch(/^\* 1 EXPUNGE\r$/m)
  await wire.ok('CLOSE')
  await wire.ok('LOGOUT')
})
