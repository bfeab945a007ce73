import { once } from 'node:events'
import { Agent, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createPageServer, mostRequests } from './http-server.ts'

let server: Server
let port: number
let answered: number

beforeEach(async () => {
  answered = 0
  server = createPageServer((_request, response) => {
    answered++
    response.end('page')
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

test('thousands of questions sent at once held up the mail sessions', async () => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2400))
  await once(socket, 'close')
  expect(answered).toBe(mostRequests)
})

test('a body in chunks without end, an octet each, held up the mail sessions', async () => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n')
  let received = ''
  for await (const piece of socket) received += String(piece)
  expect(received).toMatch(/^HTTP\/1\.1 411 /)
  expect(answered).toBe(0)
})

test('a question with two Host fields was answered by the first', async () => {
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: one.test\r\nHost: two.test\r\n\r\n')
  let received = ''
  for await (const piece of socket) received += String(piece)
  expect(received).toMatch(/^HTTP\/1\.1 400 /)
  expect(answered).toBe(0)
})

test('who asks one question after the other has an answer to each, on more than one connection', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  let connections = 0
  server.on('connection', () => connections++)
  for (let count = 0; count < mostRequests + 1; count++) {
    const sent = request({ port, host: '127.0.0.1', agent }).end()
    const [response] = await once(sent, 'response')
    response.resume()
    await once(response, 'end')
  }
  expect([answered, connections]).toEqual([mostRequests + 1, 2])
})
