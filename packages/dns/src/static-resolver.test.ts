import { describe, expect, it } from 'vitest'
import { createStaticResolver } from './static-resolver.ts'
import { zone } from './zone.ts'

const one = zone(
  'one.test',
  [
    ['@', 'MX', '10 mail'],
    ['mail', 'A', '192.0.2.1'],
    ['loop', 'CNAME', 'loop'],
    ['big', 'TXT', 'x'.repeat(5000)],
  ],
  { authentic: true },
)

describe('the static resolver', () => {
  it('answers as one with sockets does', async () => {
    const resolver = createStaticResolver([one])
    expect(await resolver.query('ONE.test.', 'MX')).toEqual({
      status: 'found',
      records: [{ preference: 10, exchange: 'mail.one.test' }],
      ttlSeconds: 300,
      authentic: true,
    })
    expect(await resolver.query('mail.one.test', 'AAAA')).toMatchObject({ status: 'nodata', ttlSeconds: 60 })
    expect(await resolver.query('none.one.test', 'A')).toMatchObject({ status: 'nxdomain' })
    expect(await resolver.query('three.test', 'A')).toMatchObject({ status: 'nxdomain', authentic: false })
    expect(await resolver.query('a..b', 'A')).toMatchObject({ status: 'nxdomain' })
    expect(await resolver.query('loop.one.test', 'A')).toMatchObject({ reason: 'CNAME loop at loop.one.test' })
    expect(await resolver.query('big.one.test', 'TXT')).toMatchObject({ records: ['x'.repeat(5000)] })
  })

  it('fails as planned, and is asked anew each time', async () => {
    const resolver = createStaticResolver([one])
    resolver.zones.fault('one.test', { kind: 'servfail' }, { times: 1 })
    expect(await resolver.query('one.test', 'MX')).toEqual({ status: 'failed', reason: 'SERVFAIL' })
    expect(await resolver.query('one.test', 'MX')).toMatchObject({ status: 'found' })
    resolver.zones.fault('one.test', { kind: 'drop' })
    expect(await resolver.query('one.test', 'MX')).toEqual({ status: 'failed', reason: 'no answer in time' })
    expect(resolver.zones.asked('one.test', 'MX')).toBe(3)
  })

  it('rejects only for its signal', async () => {
    const resolver = createStaticResolver([one])
    resolver.zones.fault('one.test', { kind: 'delay', until: () => new Promise(() => {}) })
    const giveUp = new AbortController()
    const waiting = resolver.query('one.test', 'MX', giveUp.signal)
    giveUp.abort(new Error('hung up'))
    await expect(waiting).rejects.toThrow('hung up')
    await expect(resolver.query('one.test', 'A', giveUp.signal)).rejects.toThrow('hung up')
  })
})
