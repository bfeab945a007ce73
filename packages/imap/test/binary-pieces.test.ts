/** BINARY of a large part in pieces, as clients ask for it that show how far they are. */
import { encodeBase64, encodeQuotedPrintable } from '@pennypost/message'
import { expect, test } from 'vitest'
import { TestServer } from './dialogue/server.ts'

const encodings = {
  base64: encodeBase64,
  'quoted-printable': encodeQuotedPrintable,
  '8bit': (octets: Buffer) => octets.toString('latin1'),
}
const piece = 64 * 1024
/** Each line says which it is, so that nothing of another place looks right. */
const octets = Buffer.from(Array.from({ length: 100_000 }, (_, line) => `line ${line} =\r\n`).join(''))

test.each(Object.entries(encodings))(
  '%s: each piece was decoded from the beginning of the part',
  async (name, encode) => {
    const server = await TestServer.start()
    let read = 0
    const { mail } = server.store
    server.options.mail = {
      ...mail,
      async *readBody(...args) {
        for await (const chunk of mail.readBody(...args)) {
          read += chunk.length
          yield chunk
        }
      },
    }
    const text = encode(octets)
    const head = `Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: ${name}\r\n\r\n`
    await server.deliver('INBOX', Buffer.from(head + text))
    await server.deliver('INBOX', Buffer.from(head + encode(Buffer.alloc(200_000, 'other'))))
    const client = await server.alice('SELECT INBOX')
    const ask = async (message: number, start: number): Promise<string> => {
      client.send(Buffer.from(`x FETCH ${message} BINARY.PEEK[1]<${start}.${piece}>\r\n`))
      const said = (await client.response()) as string
      expect(await client.response()).toBe('x OK FETCH completed')
      return said.slice(said.indexOf('\r\n') + 2, -1)
    }
    let got = ''
    for (let at = 0; at < octets.length; at += piece) got += await ask(1, at)
    expect(got).toBe(octets.toString('latin1'))
    // Twice, to measure and to send: the piece before it, itself, and what is left at either end of a chunk of the store.
    const chunk = 256 * 1024
    expect(read).toBeLessThan(4 * text.length + (octets.length / piece) * 2 * chunk * 2)

    expect(await ask(1, 400_000)).toBe(octets.toString('latin1', 400_000, 400_000 + piece))
    expect(await ask(2, 100_000)).toBe('other'.repeat(40_000).slice(100_000, 100_000 + piece))
    expect(await ask(1, 300_000)).toBe(octets.toString('latin1', 300_000, 300_000 + piece))
    expect(await ask(1, 500_000)).toBe(octets.toString('latin1', 500_000, 500_000 + piece))
    expect(await ask(1, 10_000_000)).toBe('')
    await server.stop()
  },
)
