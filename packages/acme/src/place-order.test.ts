import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { silentLog } from '@pennypost/model'
import acme from 'acme-client'
import { expect, onTestFinished, test } from 'vitest'
import { placeOrder } from './place-order.ts'

/** An order at an authority that answers so. */
async function orderAt(answer: RequestListener): Promise<unknown> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  return orderOn((server.address() as AddressInfo).port)
}

async function orderOn(port: number): Promise<unknown> {
  const challenges = { post: () => Promise.reject(new Error('nothing is to be posted')) }
  const options = { authority: `http://127.0.0.1:${port}/directory`, contact: '', challenges, log: silentLog }
  const key = (await acme.crypto.createPrivateEcdsaKey()).toString()
  return placeOrder(options, ['mail.one.test'], key, () => true)
}

test('of an authority that nobody could reach, the log told of a property of undefined', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  await expect(orderOn(port)).rejects.toThrow(`ECONNREFUSED 127.0.0.1:${port}`)
})

test('an authority that said when to come again was waited for, for as long as that, and nobody was told', async () => {
  const order = orderAt((_request, response) => {
    response.writeHead(429, { 'retry-after': '86400' }).end()
  })
  await expect(order).rejects.toThrow('429')
})

test('an authority that took a question and never answered was waited for without end', async () => {
  const { defaults } = acme.axios
  expect(defaults.timeout).toBeGreaterThan(0)
  const { timeout } = defaults
  onTestFinished(() => void Object.assign(defaults, { timeout }))
  defaults.timeout = 20
  await expect(orderAt(() => {})).rejects.toThrow('timeout')
})
