/**
 * A next hop that takes everything and counts recipients. Content is not cut into lines, so that a large letter costs
 * little beside the server that is measured.
 *
 * Who calls it: `limits.ts` and `large-queue.ts`.
 */
import type { Socket } from 'node:net'

export interface NextHop {
  /** For `createServer`, of as many servers as there are to be. */
  take(socket: Socket): void
  /** Resolves when so many recipients have been taken. */
  have(count: number): Promise<void>
}

const contentEnd = '\r\n.\r\n'

export function createNextHop(): NextHop {
  let taken = 0
  const waiting: { count: number; resolve: () => void }[] = []
  return {
    take(socket) {
      let unread = ''
      let recipients = 0
      let isContent = false
      /** One command, or the content up to its end; undefined when more has to come. */
      const next = (): string | undefined => {
        const end = isContent ? contentEnd : '\r\n'
        const at = unread.indexOf(end)
        const unit = at < 0 ? undefined : isContent ? end : unread.slice(0, at)
        if (at >= 0) unread = unread.slice(at + end.length)
        else if (isContent) unread = unread.slice(1 - end.length)
        return unit
      }
      socket.on('error', () => {})
      socket.write('220 sink ESMTP\r\n')
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        unread += chunk
        for (let unit = next(); unit !== undefined; unit = next()) {
          const verb = unit.slice(0, 4).toUpperCase()
          if (isContent) {
            taken += recipients
            recipients = 0
            for (const { count, resolve } of waiting) if (taken >= count) resolve()
          } else if (verb === 'RCPT') recipients++
          isContent = verb === 'DATA'
          if (verb === 'QUIT') socket.end('221 bye\r\n')
          else
            socket.write(
              isContent ? '354 go on\r\n' : verb === 'EHLO' ? '250-sink\r\n250 PIPELINING\r\n' : '250 fine\r\n',
            )
        }
      })
    },
    have(count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ count, resolve })
      if (taken >= count) resolve()
      return promise
    },
  }
}
