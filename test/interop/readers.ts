/** The npm clients that interop tests use, bound to one instance and one account whose password is `secret`. */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { ImapFlow } from 'imapflow'
import Pop3Command from 'node-pop3'
import { createTransport } from 'nodemailer'
import type { Instance } from '../e2e/instance.ts'

/** What a client needs to know of a server: an instance in this process, or one in another. */
export type Server = Pick<Instance, 'port'>

export interface ImapSession extends AsyncDisposable {
  readonly client: ImapFlow
}

/** An IMAP session over TLS with that mailbox open; logged out in the end. */
export async function openImap(at: Server, login: string, mailbox = 'INBOX'): Promise<ImapSession> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: at.port('imaps'),
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: login, pass: 'secret' },
    logger: false,
  })
  await client.connect()
  await client.mailboxOpen(mailbox)
  return {
    client,
    async [Symbol.asyncDispose]() {
      if (client.usable) await client.logout()
    },
  }
}

/** Octets of every message of a mailbox, in order of UIDs. */
export async function contents({ client }: ImapSession): Promise<Buffer[]> {
  const found: Buffer[] = []
  for await (const { source } of client.fetch('1:*', { source: true })) if (source) found.push(source)
  return found
}

/** Subjects of every message of a mailbox, in order of UIDs. */
export async function subjects({ client }: ImapSession): Promise<string[]> {
  const found: string[] = []
  for await (const { envelope } of client.fetch('1:*', { envelope: true })) found.push(envelope?.subject ?? '')
  return found
}

export function openPop3(at: Server, login: string): Pop3Command {
  return new Pop3Command({
    host: '127.0.0.1',
    port: at.port('pop3s'),
    user: login,
    password: 'secret',
    tls: true,
    tlsOptions: { rejectUnauthorized: false },
  })
}

/** Octets of one message by POP3. The client's own RETR copies all it has for each piece that comes. */
export async function retrieve(client: Pop3Command, number: number): Promise<Buffer> {
  await client.STAT()
  const [, stream] = await client.command('RETR', number)
  const pieces: Buffer[] = []
  for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Gives raw octets to the LMTP listener, as another server would. */
export async function deliver(at: Server, to: string | readonly string[], raw: string | Buffer): Promise<string> {
  const transport = createTransport({ host: '127.0.0.1', port: at.port('lmtp'), lmtp: true, ignoreTLS: true })
  try {
    const { response } = await transport.sendMail({ envelope: { from: 'x@elsewhere.test', to: [to].flat() }, raw })
    return response
  } finally {
    transport.close()
  }
}

/** A small letter as octets. */
export const letter = (subject: string, text = 'text'): string =>
  `From: x@elsewhere.test\r\nTo: bob@one.test\r\nSubject: ${subject}\r\nDate: Mon, 2 Feb 2026 10:00:00 +0100\r\n\r\n${text}\r\n`

/** Gives stuffed octets to the LMTP listener exactly as they are, in one write. */
export async function deliverOctets(at: Server, to: string, stuffed: string): Promise<string> {
  const socket = connect(at.port('lmtp'), '127.0.0.1')
  const commands = ['LHLO client.test', 'MAIL FROM:<x@elsewhere.test>', `RCPT TO:<${to}>`, 'DATA']
  let last = ''
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    const reply = async (): Promise<void> => {
      do last = (await lines.next()).value ?? ''
      while (last.charAt(3) === '-')
    }
    await reply()
    for (const command of commands) {
      socket.write(`${command}\r\n`)
      await reply()
    }
    socket.write(`${stuffed}.\r\n`)
    await reply()
    return last
  } finally {
    socket.destroy()
  }
}
