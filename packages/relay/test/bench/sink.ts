/** A peer that takes everything and keeps nothing, as cheaply as it can: prints its port, then answers. Forked by the bench. */
import { createServer, type Socket } from 'node:net'

const chunking = process.argv.includes('--chunking')
const hello = `250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n${chunking ? '250-CHUNKING\r\n' : ''}250 SIZE 100000000\r\n`
const ok = '250 2.0.0 Ok\r\n'
const end = Buffer.from('\r\n.\r\n')

const server = createServer((socket: Socket) => {
  let held: Buffer = Buffer.alloc(0)
  /** Octets of a BDAT still to come; -1: content up to the dot. */
  let content = 0
  socket.setNoDelay()
  socket.on('error', () => {})
  socket.write('220 sink.test ESMTP\r\n')
  socket.on('data', (piece: Buffer) => {
    held = held.length === 0 ? piece : Buffer.concat([held, piece])
    let answers = ''
    for (;;) {
      if (content > 0) {
        if (held.length < content) break
        held = held.subarray(content)
        content = 0
        answers += ok
      } else if (content < 0) {
        const at = held.indexOf(end)
        if (at < 0) break
        held = held.subarray(at + end.length)
        content = 0
        answers += ok
      }
      const lineEnd = held.indexOf('\r\n')
      if (lineEnd < 0) break
      const line = held.toString('latin1', 0, lineEnd)
      held = held.subarray(lineEnd + 2)
      if (line.startsWith('EHLO')) answers += hello
      else if (line.startsWith('BDAT')) content = Number(line.split(' ')[1])
      else if (line === 'DATA') {
        content = -1
        answers += '354 go\r\n'
      } else answers += ok
    }
    if (answers !== '') socket.write(answers)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' ? address?.port : 0)
})
process.on('disconnect', () => process.exit())
