/** The listener for machines that watch: what it answers is in `http-pages.ts`. */
import { once } from 'node:events'
import { connect, Server, type Socket } from 'node:net'
import { silentLog } from '@pennypost/model'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type HttpOptions, mostConnections, openHttp } from './http.ts'

test('connections that ask nothing do not take the open files that mail needs', async () => {
  const options = { address: '127.0.0.1', port: 0, ailments: async () => [], site: { policies: [] }, metrics: {} }
  const http = await openHttp(options as unknown as HttpOptions)
  onTestFinished(() => http.close())
  const dial = async (): Promise<Socket> => {
    const socket = connect(http.bound.port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  const silent = await Promise.all(Array.from({ length: mostConnections }, dial))
  const tooMany = await dial()
  tooMany.resume()
  await once(tooMany, 'close')
  silent[0]?.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const [answer] = await once(silent[0]!, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /)
  for (const socket of silent) socket.destroy()
})

test('connections that could not be accepted ended the process', async () => {
  const listen = vi.spyOn(Server.prototype, 'listen')
  const logged: unknown[][] = []
  const log = { ...silentLog, error: (...line: unknown[]) => logged.push(line) }
  const options = { address: '127.0.0.1', port: 0, ailments: async () => [], site: {}, metrics: {}, log }
  const http = await openHttp(options as unknown as HttpOptions)
  onTestFinished(() => http.close())
  const [server] = listen.mock.contexts as Server[]
  listen.mockRestore()
  // What Node does where the system has no memory for another socket.
  for (let time = 0; time < 2; time++) server?.emit('error', new Error('accept ENOMEM'))
  expect(logged).toEqual(Array(2).fill([{ service: 'http', error: 'accept ENOMEM' }, 'cannot accept']))
})

test('a port in use was said without the service that wanted it', async () => {
  const options = { address: '127.0.0.1', port: 0, ailments: async () => [], site: {}, metrics: {} }
  const first = await openHttp(options as unknown as HttpOptions)
  onTestFinished(() => first.close())
  const again = openHttp({ ...options, port: first.bound.port } as unknown as HttpOptions)
  await expect(again).rejects.toThrow(/^http: cannot listen on 127\.0\.0\.1:\d+: it is in use by another program/)
})

test('a store that does not answer was healthy', async () => {
  const options = { address: '127.0.0.1', port: 0, ailments: async () => ['the store does not answer'] }
  const http = await openHttp({ ...options, site: {}, metrics: {} } as unknown as HttpOptions)
  onTestFinished(() => http.close())
  const answer = await fetch(`http://127.0.0.1:${http.bound.port}/healthz`)
  expect([answer.status, await answer.json()]).toEqual([503, { ok: false, ailments: ['the store does not answer'] }])
})

test('a health check of HTTP/1.0, which names no host, found the server ill', async () => {
  const options = { address: '127.0.0.1', port: 0, ailments: async () => [], site: {}, metrics: {} }
  const http = await openHttp(options as unknown as HttpOptions)
  onTestFinished(() => http.close())
  const socket = connect(http.bound.port, '127.0.0.1')
  socket.write('GET /healthz HTTP/1.0\r\n\r\n')
  let received = ''
  for await (const piece of socket) received += String(piece)
  expect(received).toMatch(/^HTTP\/1\.1 200 /)
})
