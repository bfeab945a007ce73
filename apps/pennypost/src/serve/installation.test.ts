/** What of the configuration mail programs are told. */
import { networkInterfaces } from 'node:os'
import { expect, test, vi } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { clientSettings, ownStsPolicy, publicAddresses, sentBy } from './installation.ts'

vi.mock('node:os', { spy: true })

function servicesOf(listeners: readonly (readonly [string, string, number])[], more = ''): string[] {
  const tables = listeners.map(
    ([service, address, port]) => `[[listener]]\nservice = "${service}"\naddress = "${address}"\nport = ${port}\n`,
  )
  const config = checkConfig('test.toml', `hostname = "mail.one.test"\n${more}\n${tables.join('')}`)
  return clientSettings(config).services.map(({ service, port }) => `${service} ${port}`)
}

const world = [
  ['imaps', '::', 993],
  ['submissions', '::', 465],
] as const

test('the listeners for mail programs, and no others', () => {
  const others = [
    ['smtp', '::', 25],
    ['lmtp', '127.0.0.1', 2424],
    ['https', '::', 443],
  ] as const
  expect(servicesOf([...world, ...others])).toEqual(['submissions 465', 'imaps 993'])
})

test('what only this machine reaches is not told to others', () => {
  const local = [
    ['imap', '127.0.0.1', 143],
    ['imaps', '::1', 1993],
  ] as const
  expect(servicesOf([...local, ...world])).toEqual(['submissions 465', 'imaps 993'])
  expect(servicesOf(local)).toEqual(['imaps 1993', 'imap 143'])
})

test('a listener that its role keeps closed, and a port that the system chooses, are not told', () => {
  expect(servicesOf(world, 'roles = ["mx", "submission"]')).toEqual(['submissions 465'])
  expect(servicesOf([['imaps', '::', 0]])).toEqual([])
})

test('a sandbox that told no addresses of this machine kept the server from starting', () => {
  vi.mocked(networkInterfaces).mockImplementationOnce(() => {
    throw new Error('uv_interface_addresses returned Unknown system error 97')
  })
  expect(publicAddresses()).toEqual([])
})

test('the MTA-STS policy named hosts in their own letters, which no MX record has', () => {
  const document = 'hostname = "mail.one.test"\n[mta_sts]\nmx = ["MX.Müller.example", "*.Müller.example."]'
  const lines = ownStsPolicy(checkConfig('test.toml', document)).split('\r\n')
  expect(lines.filter((line) => line.startsWith('mx:'))).toEqual([
    'mx: mx.xn--mller-kva.example',
    'mx: *.xn--mller-kva.example',
  ])
})

test.each([
  ['', []],
  ['fd-relay.isp.test:587', ['a:fd-relay.isp.test']],
  ['mx:isp.test', ['mx:isp.test']],
  ['192.0.2.25', ['ip4:192.0.2.25']],
  ['[2001:db8::25]:465', ['ip6:2001:db8::25']],
  ['127.0.0.1:10026', []],
  ['10.0.0.5', []],
  ['lmtp:isp.test', []],
])('smarthost %j is %j in SPF', (smarthost, mechanisms) => {
  const config = checkConfig('test.toml', `hostname = "mail.one.test"\n[relay]\nsmarthost = "${smarthost}"`)
  expect(sentBy(config, 'one.test')).toEqual(mechanisms)
})

test('SPF names where a route leads for senders of the domain, and for no others', () => {
  const route = (when: string, to: string) => `[[relay.route]]\n${when}\nto = "${to}"\n`
  const routes = [
    route('sender = "@two.test"', 'smtp.isp.test:587'),
    route('sender = "sales@two.test"\ndomain = "three.test"', 'smtp.isp.test'),
    route('sender = "@two.test"', 'direct'),
    route('domain = "three.test"', 'mx.three.test'),
  ]
  const config = checkConfig('test.toml', `hostname = "mail.one.test"\n${routes.join('')}`)
  expect([sentBy(config, 'two.test'), sentBy(config, 'one.test')]).toEqual([['a:smtp.isp.test'], []])
})
