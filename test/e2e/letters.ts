/** Sending and reading letters as mail programs do, for end-to-end tests. */
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import type { Instance } from './instance.ts'

/** Submits with AUTH over STARTTLS; gives the id of "queued as". */
export async function submit(
  from: Instance,
  sender: string,
  to: string | readonly string[],
  subject: string,
  text = 'text',
): Promise<string> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: from.port('submission'),
    requireTLS: true,
    tls: { rejectUnauthorized: false },
    auth: { user: sender, pass: 'secret' },
  })
  try {
    const { response } = await transport.sendMail({ from: sender, to: [to].flat(), subject, text })
    const [, id] = /queued as (\S+)/.exec(response) ?? []
    if (id === undefined) throw new Error(`not queued: ${response}`)
    return id
  } finally {
    transport.close()
  }
}

/** Raw messages of INBOX, by IMAP over TLS. */
export async function inbox(at: Instance, login: string): Promise<string[]> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: at.port('imaps'),
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: login, pass: 'secret' },
    logger: false,
  })
  await client.connect()
  try {
    const { exists } = await client.mailboxOpen('INBOX')
    const messages: string[] = []
    if (exists > 0) {
      for await (const message of client.fetch('1:*', { source: true })) messages.push(message.source?.toString() ?? '')
    }
    return messages
  } finally {
    await client.logout()
  }
}
