import { describe, expect, test } from 'vitest'
import { isStoreHere, parseHop, placeWithLogin } from './hop.ts'
import { createRoutes } from './routes.ts'

const direct = createRoutes({ port: 25 })
const smarthost = { host: 'Smtp.ISP.test', port: 587, username: 'one', password: 'secret' }
const through = createRoutes({ port: 25, smarthost })

describe('destination', () => {
  test.each([
    ['Two.Test', undefined, 'two.test'],
    ['bücher.test', undefined, 'xn--bcher-kva.test'],
    ['[192.0.2.1]', undefined, '[192.0.2.1]'],
    ['[IPv6:2001:DB8::1]', undefined, '[ipv6:2001:db8::1]'],
    ['two.test', 'Back.two.test', 'back.two.test:25'],
    ['two.test', 'back.two.test:2525', 'back.two.test:2525'],
    ['two.test', '192.0.2.7', '192.0.2.7:25'],
    ['two.test', '[192.0.2.7]:26', '192.0.2.7:26'],
    ['two.test', '2001:DB8::7', '[2001:db8::7]:25'],
    ['two.test', '[IPv6:2001:db8::7]:26', '[2001:db8::7]:26'],
  ])('%s by %s is %s', (domain, nextHop, destination) => {
    expect(direct.destination(domain, nextHop)).toBe(destination)
  })

  test('all goes to the smarthost but what is relayed to a host of its own', () => {
    expect(through.destination('two.test')).toBe('smtp.isp.test:587;one')
    expect(through.destination('[192.0.2.1]')).toBe('smtp.isp.test:587;one')
    expect(through.destination('two.test', 'back.two.test')).toBe('back.two.test:25')
  })
})

describe('resolve', () => {
  test.each([
    ['two.test', { kind: 'mx', domain: 'two.test', port: 25 }],
    ['[192.0.2.1]', { kind: 'address', address: '192.0.2.1', port: 25 }],
    ['[ipv6:2001:db8::1]', { kind: 'address', address: '2001:db8::1', port: 25 }],
    ['[x400:whatever]', { kind: 'none' }],
    ['back.two.test:2525', { kind: 'host', host: 'back.two.test', port: 2525 }],
    ['[2001:db8::7]:26', { kind: 'host', host: '2001:db8::7', port: 26 }],
  ])('%s', (destination, route) => {
    expect(direct.resolve(destination)).toEqual(route)
  })

  test('credentials belong to the configured smarthost only', () => {
    expect(through.resolve('smtp.isp.test:587')).toMatchObject({ kind: 'host', host: 'Smtp.ISP.test', hop: smarthost })
    expect(through.resolve('smtp.isp.test:25')).toEqual({ kind: 'host', host: 'smtp.isp.test', port: 25 })
  })
})

test.each([
  ['lmtp:/run/store', true],
  ['lmtp:localhost:24', true],
  ['lmtp:[::1]:24', true],
  ['lmtp:127.0.0.1:24;joe', true],
  ['lmtp:127.0.0.1:24;joe;1', true],
  ['lmtp:store.test:24', false],
  ['127.0.0.1:25', false],
])('a store beside us that wants a login was taken for one elsewhere: %s', (destination, isHere) => {
  expect(isStoreHere(destination)).toBe(isHere)
})

describe('configured routes', () => {
  const isp = { host: 'smtp.isp.test', port: 587 }
  const routes = createRoutes({
    port: 25,
    smarthost,
    routes: [
      { domain: 'near.test', to: 'direct' },
      { domain: '.group.test', to: { ...isp, viaMx: true } },
      { sender: '@sales.test', domain: 'two.test', to: { ...isp, username: 'both', password: 'x' } },
      { sender: '@sales.test', to: { ...isp, username: 'sales', password: 'y' } },
      { sender: 'robot@one.test', to: { host: '', port: 0, protocol: 'lmtp', path: '/run/store' } },
    ],
  })

  test.each([
    ['near.test', '', 'near.test'],
    ['so-near.test', '', 'smtp.isp.test:587;one'],
    ['a.group.test', '', 'mx:smtp.isp.test:587'],
    ['group.test', '', 'smtp.isp.test:587;one'],
    ['two.test', 'bob@Sales.test', 'smtp.isp.test:587;both'],
    ['three.test', 'bob@sales.test', 'smtp.isp.test:587;sales'],
    ['three.test', 'robot@one.test', 'lmtp:/run/store'],
    ['three.test', 'other@one.test', 'smtp.isp.test:587;one'],
    ['three.test', 'a-robot@one.test', 'smtp.isp.test:587;one'],
    ['three.test', '', 'smtp.isp.test:587;one'],
  ])('to %s from <%s>: %s', (domain, from, destination) => {
    expect(routes.destination(domain, undefined, from)).toBe(destination)
  })

  test.each([
    ['mx:smtp.isp.test:587', { kind: 'mx', domain: 'smtp.isp.test', port: 587 }],
    ['smtp.isp.test:587;sales', { kind: 'host', hop: { username: 'sales', password: 'y' } }],
    ['lmtp:/run/store', { kind: 'socket', path: '/run/store' }],
    ['lmtp:store.test:24', { kind: 'host', host: 'store.test', port: 24, hop: { protocol: 'lmtp' } }],
  ])('%s', (destination, route) => {
    expect(routes.resolve(destination)).toMatchObject(route)
  })

  test('mail redirected to the host of a route went there without the login of the route', () => {
    const login = { ...isp, host: 'out.isp.test', username: 'sales', password: 'y' }
    const second = { ...login, username: 'other' }
    const named = createRoutes({ port: 25, smarthost, routes: [{ domain: 'two.test', to: login }, { to: second }] })
    expect(named.resolve('out.isp.test:587')).toMatchObject({ kind: 'host', hop: login })
    expect(named.resolve('smtp.isp.test:587')).toMatchObject({ kind: 'host', hop: smarthost })
  })

  test('mail that waited for a smarthost was sent there without the login when there was another one', () => {
    expect(routes.resolve('smtp.gone.test:587;one')).toMatchObject({ kind: 'host', hop: smarthost })
    expect(direct.resolve('smtp.gone.test:587;one')).toEqual({ kind: 'gone' })
  })

  test.each(['smtp.gone.test:587;joe:1;x', 'lmtp:/run/store;joe'])(
    'a login at a socket, or one with a semicolon, was taken for part of the place: %s',
    (destination) => {
      expect(direct.resolve(destination)).toEqual({ kind: 'gone' })
      expect(placeWithLogin(destination)).toBe(destination.slice(0, destination.indexOf(';')))
    },
  )

  test('a route without a login to the host of the smarthost took the login of the smarthost away', () => {
    const both = createRoutes({ port: 25, smarthost, routes: [{ domain: 'two.test', to: isp }] })
    expect(both.resolve(both.destination('three.test'))).toMatchObject({ hop: smarthost })
    expect(both.resolve(both.destination('two.test'))).not.toHaveProperty('hop')
  })
})

const unfit = [
  '',
  ':25',
  'a b',
  'host:0',
  'host:70000',
  'lmtp:',
  'lmtp:/run/a;b',
  'mx:',
  'http://x',
  'mx:192.0.2.1',
  'mx:[2001:db8::1]:25',
]

test.each(unfit)('%j is no next hop', (text) => {
  expect(parseHop(text, 25)).toBeUndefined()
})
