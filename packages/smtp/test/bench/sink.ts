/**
 * A bare SMTP sink in a process of its own: replies as fast as a socket can, keeps nothing. Prints its port.
 * `node sink.ts [chunking]`
 */
import { createServer } from 'node:net'

const chunking = process.argv.includes('chunking')
const ehlo = `250-sink.test\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-8BITMIME\r\n250-DSN\r\n250 ${chunking ? 'CHUNKING' : 'HELP'}\r\n`
const endOfData = Buffer.from('\r\n.\r\n')

const server = createServer((socket) => {
  let data = false
  let skip = 0
  let held: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.write('220 sink.test ESMTP\r\n')
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    let octets = held.length > 0 ? Buffer.concat([held, chunk]) : chunk
    let replies = ''
    for (;;) {
      if (skip > 0) {
        const taken = Math.min(skip, octets.length)
        skip -= taken
        octets = octets.subarray(taken)
        if (skip > 0) break
        replies += '250 2.0.0 Ok: queued as 1\r\n'
      }
      const end = data ? octets.indexOf(endOfData) : octets.indexOf(10)
      if (end < 0) break
      const line = data ? '.' : octets.toString('latin1', 0, end)
      octets = octets.subarray(data ? end + 5 : end + 1)
      if (data) replies += '250 2.0.0 Ok: queued as 1\r\n'
      else if (line.startsWith('EHLO')) replies += ehlo
      else if (line.startsWith('DATA')) replies += '354 go\r\n'
      else if (line.startsWith('BDAT') && !line.startsWith('BDAT 0')) skip = Number.parseInt(line.slice(5), 10)
      else if (line.startsWith('QUIT')) socket.end('221 bye\r\n')
      else replies += '250 2.1.0 Ok\r\n'
      data = !data && line.startsWith('DATA')
    }
    held = data && octets.length > 4 ? Buffer.from(octets.subarray(-4)) : Buffer.from(octets)
    if (replies !== '') socket.write(replies)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
})
