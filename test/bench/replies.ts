import type { Socket } from 'node:net'

/** Reads SMTP replies, one with each call: the last line, without its end. Rejects when it does not begin with `expected`. */
export function repliesOf(socket: Socket): (expected: string) => Promise<string> {
  const chunks = socket.iterator({ destroyOnReturn: false })
  let received = ''
  return async (expected) => {
    for (;;) {
      const end = /^\d{3} .*\r\n/m.exec(received)
      if (end) {
        const line = end[0].trimEnd()
        received = received.slice(end.index + end[0].length)
        if (line.startsWith(expected)) return line
        throw new Error(`${expected} was expected, not: ${line}`)
      }
      const { value, done } = await chunks.next()
      if (done) throw new Error('the server hung up')
      received += (value as Buffer).toString('latin1')
    }
  }
}
