import { describe, expect, it } from 'vitest'
import { mdaOf, nowMs, path, srs } from '../test/small-directory.ts'

const submission = { account: { login: 'alice@one.test' } as never, mayRelay: true, reversePath: 'alice@one.test' }

describe('a directory without any domain', () => {
  const { outcome } = mdaOf({ domains: [], accounts: [] })

  it('is of a server whose disk is missing as likely as of a new one, and refused all mail for good', async () => {
    expect(await outcome('alice@one.test')).toBe('450 4.3.5')
    expect(await outcome('bob@two.test', submission)).not.toMatch(/^4/)
  })
})

describe('an address of ours', () => {
  const { outcome, expand } = mdaOf({
    domains: [
      { name: 'one.test' },
      { name: 'xn--bcher-kva.test' },
      { name: 'also.test', kind: 'alias', target: 'one.test' },
      { name: 'round.test', kind: 'alias', target: 'round.test' },
      { name: 'stale.test', kind: 'alias', target: 'gone.test' },
    ],
    accounts: [
      'alice@one.test',
      { login: 'suspended@one.test', suspended: true },
      { login: 'gone@one.test', removedAt: 1 },
      'zoë@xn--bcher-kva.test',
      'a+b@one.test',
    ],
  })

  it('is found in any case and spelling', async () => {
    expect(await outcome('alice@one.test')).toBe('#1')
    expect(await outcome('ALICE@One.Test')).toBe('#1')
    expect(await outcome('ZOE\u0308@B\u00dcCHER.test')).toBe('#4')
    expect(await outcome('zo\u00eb@xn--bcher-kva.test')).toBe('#4')
  })

  it('keeps its octets as received for Delivered-To', async () => {
    expect(await expand('Alice+News@ONE.test')).toEqual({
      kind: 'accepted',
      deliveries: [{ kind: 'file', account: 1, deliveredTo: 'Alice+News@ONE.test' }],
      facts: [],
    })
  })

  it('loses its detail only when nobody has it whole', async () => {
    expect(await outcome('alice+x+y@one.test')).toBe('#1')
    expect(await outcome('a+b@one.test')).toBe('#5')
    expect(await outcome('a+b+c@one.test')).toBe('#5')
    expect(await outcome('alice+@one.test')).toBe('#1')
    expect(await outcome('+alice@one.test')).toBe('550 5.1.1')
    expect(await outcome('alice-x@one.test')).toBe('550 5.1.1')
  })

  it('may be in a domain that is an alias of ours', async () => {
    expect(await outcome('alice@also.test')).toBe('#1')
    expect(await outcome('alice+x@also.test')).toBe('#1')
    expect(await outcome('alice@round.test')).toBe('550 5.1.1')
    expect(await outcome('alice@stale.test')).toBe('550 5.1.1')
  })

  it('takes mail while its account is suspended, and none when it was removed', async () => {
    expect(await outcome('suspended@one.test')).toBe('#2')
    expect(await outcome('gone@one.test')).toBe('550 5.1.6')
    expect(await outcome('nobody@one.test')).toBe('550 5.1.1')
  })

  it('may have several delimiters, or none', async () => {
    const world = { accounts: ['alice@one.test', 'john-smith@one.test', 'john@one.test'] }
    const two = mdaOf(world, { recipientDelimiter: '+-' })
    expect(await two.outcome('alice-x@one.test')).toBe('#1')
    expect(await two.outcome('john-smith-x+y@one.test')).toBe('#2')
    const none = mdaOf(world, { recipientDelimiter: '' })
    expect(await none.outcome('alice+x@one.test')).toBe('550 5.1.1')
  })
})

describe('an address elsewhere', () => {
  const { outcome, expand } = mdaOf({
    domains: [{ name: 'one.test' }, { name: 'backup.test', kind: 'relay', target: 'inside.test:24' }],
    accounts: ['alice@one.test'],
  })

  it('is relayed for those who may, and refused to strangers', async () => {
    expect(await outcome('bob@two.test')).toBe('550 5.7.1')
    expect(await outcome('bob@[198.51.100.1]')).toBe('550 5.7.1')
    expect(await expand('Bob@Two.Test', submission)).toEqual({
      kind: 'accepted',
      deliveries: [{ kind: 'relay', forwardPath: 'Bob@Two.Test', trace: '' }],
      facts: [],
    })
  })

  it('in a domain that we relay for goes to its host, whoever sends', async () => {
    expect(await outcome('bob@backup.test')).toBe('bob@backup.test>inside.test:24')
    expect(await outcome('postmaster@backup.test')).toBe('postmaster@backup.test>inside.test:24')
  })

  it('was reached through a host that we relay for and that believes us, by a route in the local part', async () => {
    for (const disguise of ['bob%two.test', 'two.test!bob', '"bob@two.test"']) {
      expect(await outcome(`${disguise}@backup.test`), disguise).toBe('550 5.7.1')
      expect((await expand(`${disguise}@backup.test`, submission)).kind, disguise).toBe('accepted')
    }
  })

  it('is not what percent signs and bangs in a local part of ours say', async () => {
    for (const disguise of ['bob%two.test@one.test', 'two.test!bob@one.test', 'bob@two.test@one.test']) {
      expect(await outcome(disguise), disguise).toBe('550 5.1.1')
    }
  })
})

describe('a domain whose recipients are verified', () => {
  const relayed = { kind: 'relay', target: 'inside.test', verifyRecipients: true } as const
  const { expand } = mdaOf({
    domains: [{ name: 'one.test' }, { name: 'office.test', ...relayed }],
    aliases: { 'in@one.test': ['bob@office.test'] },
  })
  const verified = async (address: string): Promise<unknown[]> => {
    const expansion = await expand(address)
    return expansion.kind === 'accepted' ? expansion.deliveries.map((each) => each.kind === 'relay' && each.verify) : []
  }

  it('has its next hop asked for what is written to it, and not for what an alias leads there', async () => {
    expect(await verified('bob@office.test')).toEqual([true])
    expect(await verified('in@one.test')).toEqual([undefined])
  })
})

describe('an alias', () => {
  it('reaches each account once, through aliases of aliases, and says so in the journey', async () => {
    const { expand } = mdaOf({
      accounts: ['alice@one.test', 'bob@one.test'],
      aliases: {
        'all@one.test': ['sales@one.test', 'bob+list@one.test', 'alice@one.test'],
        'sales@one.test': ['alice+sales@one.test', 'bob@one.test'],
      },
    })
    expect(await expand('All+x@one.test')).toEqual({
      kind: 'accepted',
      deliveries: [
        { kind: 'file', account: 1, deliveredTo: 'All+x@one.test' },
        { kind: 'file', account: 2, deliveredTo: 'All+x@one.test' },
      ],
      facts: [
        {
          kind: 'expanded',
          forwardPath: 'All+x@one.test',
          by: 'alias',
          targets: ['sales@one.test', 'bob+list@one.test', 'alice@one.test'],
        },
        {
          kind: 'expanded',
          forwardPath: 'sales@one.test',
          by: 'alias',
          targets: ['alice+sales@one.test', 'bob@one.test'],
        },
      ],
    })
  })

  it('left out a target that is nobody, and the journey said nothing of it', async () => {
    const { expand } = mdaOf({
      accounts: ['alice@one.test'],
      aliases: {
        'all@one.test': ['alice@one.test', 'Gone@one.test', 'round@one.test'],
        'round@one.test': ['all@one.test'],
      },
    })
    const expansion = await expand('all@one.test')
    expect(expansion).toMatchObject({ kind: 'accepted', deliveries: [{ kind: 'file', account: 1 }] })
    expect(expansion.kind === 'accepted' && expansion.facts.filter(({ kind }) => kind === 'refused')).toEqual([
      { kind: 'refused', forwardPath: 'Gone@one.test', reply: '550 5.1.1 <Gone@one.test>: no such mailbox here' },
      {
        kind: 'refused',
        forwardPath: 'all@one.test',
        reply: '554 5.4.6 <all@one.test>: its aliases lead back to themselves',
      },
    ])
  })

  it('that leads back to itself is found out; one with other targets still works', async () => {
    const { outcome } = mdaOf({
      accounts: ['alice@one.test'],
      aliases: {
        'a@one.test': ['b@one.test'],
        'b@one.test': ['a@one.test'],
        'self@one.test': ['self@one.test', 'alice@one.test'],
        'twice@one.test': ['dead1@one.test', 'dead2@one.test'],
        'dead1@one.test': ['dead@one.test'],
        'dead2@one.test': ['dead@one.test'],
        'dead@one.test': ['nobody@one.test'],
      },
    })
    expect(await outcome('a@one.test')).toBe('554 5.4.6')
    expect(await outcome('self@one.test')).toBe('#1')
    // Two ways to the same dead end are no loop.
    expect(await outcome('twice@one.test')).toBe('550 5.1.1')
  })

  it('may be ten deep and no deeper', async () => {
    const aliases = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`a${i}@one.test`, i === 19 ? ['alice@one.test'] : [`a${i + 1}@one.test`]]),
    )
    const { outcome } = mdaOf({ accounts: ['alice@one.test'], aliases })
    expect(await outcome('a9@one.test')).toBe('#1')
    expect(await outcome('a8@one.test')).toBe('554 5.4.6')
  })

  it('reaches all or nobody when there are too many', async () => {
    const targets = Array.from({ length: 6 }, (_, i) => `x${i}@two.test`)
    const world = { aliases: { 'many@one.test': targets, 'five@one.test': targets.slice(1) } }
    const { outcome } = mdaOf(world, { limits: { deliveries: 5 } })
    expect(await outcome('many@one.test')).toBe('554 5.2.4')
    expect((await outcome('five@one.test')).split(' ')).toHaveLength(5)
  })

  it('passes over targets that cannot be reached, unless that leaves none', async () => {
    const { outcome } = mdaOf({
      accounts: ['alice@one.test', { login: 'gone@one.test', removedAt: 1 }],
      aliases: { 'a@one.test': ['nobody@one.test', 'alice@one.test'], 'b@one.test': ['gone@one.test', 'x@one.test'] },
    })
    expect(await outcome('a@one.test')).toBe('#1')
    expect(await outcome('b@one.test')).toBe('550 5.1.6')
  })

  it('takes the mail of a removed account, which nobody had for 30 days', async () => {
    const { outcome } = mdaOf({
      accounts: ['alice@one.test', { login: 'gone@one.test', removedAt: 1 }],
      aliases: { 'gone@one.test': ['alice@one.test'] },
    })
    expect(await outcome('gone@one.test')).toBe('#1')
  })
})

describe('a forward to elsewhere', () => {
  const world = {
    domains: [
      { name: 'one.test' },
      { name: 'also.test', kind: 'alias' as const, target: 'one.test' },
      { name: 'backup.test', kind: 'relay' as const, target: 'inside.test' },
    ],
    accounts: ['alice@one.test'],
    aliases: {
      'fwd@one.test': ['bob@two.test', 'alice@one.test', 'Bob@TWO.test'],
      'in@one.test': ['x@backup.test'],
      'both@one.test': ['bob@two.test', 'x@backup.test'],
    },
  }
  const { expand } = mdaOf(world)
  const forwardOf = async (address: string, reversePath: string) => {
    const expansion = await expand(address, { reversePath })
    return expansion.kind === 'accepted' ? expansion.deliveries.filter((delivery) => delivery.kind === 'relay') : []
  }

  it('leaves once, under a reverse-path of ours, with the trace by which a loop is found', async () => {
    const local = srs.forward({ localPart: 'sender', domain: 'far.test' }, nowMs)
    expect(await forwardOf('Fwd@One.test', 'sender@far.test')).toEqual([
      {
        kind: 'relay',
        forwardPath: 'bob@two.test',
        reversePath: `${local}@one.test`,
        trace: 'Delivered-To: Fwd@One.test\r\n',
      },
    ])
  })

  it('keeps the reverse-path of a sender of ours, and the null one', async () => {
    for (const reversePath of ['alice@one.test', 'alice@also.test', 'MAILER@mail.one.test', '']) {
      expect((await forwardOf('fwd@one.test', reversePath))[0]).not.toHaveProperty('reversePath')
    }
  })

  it('keeps it too on the way to a host that we relay for', async () => {
    expect(await forwardOf('in@one.test', 'sender@far.test')).toEqual([
      { kind: 'relay', forwardPath: 'x@backup.test', nextHop: 'inside.test', trace: 'Delivered-To: in@one.test\r\n' },
    ])
    const [outside, inside] = await forwardOf('both@one.test', 'sender@far.test')
    expect([outside?.reversePath !== undefined, inside?.reversePath]).toEqual([true, undefined])
  })

  it('is rewritten again after another forwarder', async () => {
    const [forward] = await forwardOf('fwd@one.test', 'SRS0=abcd=EF=far.test=sender@two.test')
    expect(forward?.reversePath).toMatch(/^SRS1=[A-Z2-7]{6}=two\.test==abcd=EF=far\.test=sender@one\.test$/)
  })

  it('left under a reverse-path longer than any may be', async () => {
    const rewritten = async (octets: number) => {
      const [forward] = await forwardOf('fwd@one.test', `${'b'.repeat(octets - 9)}@far.test`)
      return forward?.reversePath?.length
    }
    expect(await rewritten(254 - 24)).toBe(254)
    expect(await rewritten(254 - 23)).toBeUndefined()
  })

  it('quotes a local part that needs it', async () => {
    const [forward] = await forwardOf('fwd@one.test', '"a b"@far.test')
    expect(forward?.reversePath).toMatch(/^"SRS0=[A-Z2-7]{6}=[A-Z2-7]{2}=far\.test=a b"@one\.test$/)
  })
})

describe('a bounce of a forward', () => {
  const { outcome, expand } = mdaOf({ accounts: ['alice@one.test'] })
  const back = (sender: string): string => `${srs.forward(path(sender), nowMs)}@one.test`

  it('goes to the first sender, though relaying be denied', async () => {
    expect(await expand(back('Sender@far.test'), { reversePath: '' })).toEqual({
      kind: 'accepted',
      deliveries: [{ kind: 'relay', forwardPath: 'Sender@far.test', trace: '' }],
      facts: [expect.objectContaining({ kind: 'expanded', by: 'srs', targets: ['Sender@far.test'] })],
    })
    expect(await outcome(back('alice@one.test'), { reversePath: '' })).toBe('#1')
    expect(await outcome(back('nobody@one.test'), { reversePath: '' })).toBe('550 5.1.1')
  })

  it('must be a bounce, genuine and young', async () => {
    expect(await outcome(back('sender@far.test'), { reversePath: 'spammer@far.test' })).toBe('550 5.7.1')
    expect(await outcome('SRS0=AAAAAA=D5=far.test=victim@one.test', { reversePath: '' })).toBe('550 5.7.1')
    const old = srs.forward(path('sender@far.test'), nowMs - 21 * 86_400_000)
    expect(await outcome(`${old}@one.test`, { reversePath: '' })).toBe('550 5.7.1')
  })
})

describe('a catch-all', () => {
  const domains = [
    { name: 'one.test', catchAll: 'alice@one.test' },
    { name: 'two.test', catchAll: 'me@far.test' },
  ]
  const world = { domains, accounts: ['alice@one.test', { login: 'gone@one.test', removedAt: 1 }] }
  const { outcome, expand } = mdaOf({ ...world, sent: ['used@one.test'] })

  it('takes what is for nobody, and says so in the journey', async () => {
    expect(await expand('Any+thing@one.test')).toMatchObject({
      deliveries: [{ account: 1, deliveredTo: 'Any+thing@one.test' }],
      facts: [{ by: 'catch-all', targets: ['alice@one.test'] }],
    })
    expect(await outcome('any@two.test')).toBe('me@far.test')
    expect(await outcome('gone@one.test')).toBe('550 5.1.6')
  })

  it('takes bounces only for addresses that have sent', async () => {
    expect(await outcome('invented@one.test', { reversePath: '' })).toBe('550 5.1.1')
    expect(await outcome('Used@one.test', { reversePath: '' })).toBe('#1')
  })

  it('does not catch the targets of aliases', async () => {
    const { outcome: from } = mdaOf({ ...world, aliases: { 'list@one.test': ['typo@one.test'] } })
    expect(await from('list@one.test')).toBe('550 5.1.1')
  })

  it('that leads to nobody does not run in circles', async () => {
    const { outcome: from } = mdaOf({ domains: [{ name: 'one.test', catchAll: 'nobody@one.test' }] })
    expect(await from('any@one.test')).toBe('550 5.1.1')
  })
})

describe('postmaster and abuse', () => {
  const accounts = ['alice@one.test', { login: 'root@one.test', admin: true, quota: 10 }]

  it('reach the administrator in every domain of ours, and on the bare host', async () => {
    const { outcome, expand } = mdaOf({ accounts })
    for (const address of [
      'postmaster@one.test',
      'Abuse@ONE.test',
      'postmaster+x@one.test',
      'mailer-daemon@one.test',
    ]) {
      expect(await outcome(address), address).toBe('#2')
    }
    for (const address of ['Postmaster', 'postmaster@mail.one.test', 'root@mail.one.test', 'postmaster@[192.0.2.1]']) {
      expect(await outcome(address), address).toBe('#2')
    }
    expect(await expand('Postmaster')).toMatchObject({ deliveries: [{ deliveredTo: 'Postmaster@mail.one.test' }] })
    expect(await outcome('alice@mail.one.test')).toBe('550 5.1.1')
    expect(await outcome('alice@mail.one.test', submission)).toBe('550 5.1.1')
    expect(await outcome('postmaster@two.test')).toBe('550 5.7.1')
    expect(await mdaOf({ accounts: ['alice@one.test'] }).outcome('root@one.test')).toBe('550 5.1.1')
  })

  it('go where the configuration says, and not astray when that does not exist', async () => {
    const world = { accounts, aliases: { 'ops@one.test': ['alice@one.test'] } }
    const toOps = mdaOf(world, { administrator: 'ops@one.test' })
    expect(await toOps.outcome('postmaster')).toBe('#1')
    expect(await toOps.expand('postmaster')).toMatchObject({
      facts: [
        { by: 'alias', forwardPath: 'postmaster', targets: ['ops@one.test'] },
        { by: 'alias', forwardPath: 'ops@one.test', targets: ['alice@one.test'] },
      ],
    })
    const elsewhere = mdaOf(world, { administrator: 'me@far.test' })
    expect(await elsewhere.outcome('postmaster')).toBe('me@far.test')
    expect(await elsewhere.expand('postmaster')).toMatchObject({
      deliveries: [{ reversePath: expect.stringMatching(/^SRS0=.*@mail\.one\.test$/) }],
    })
    expect(await mdaOf(world, { administrator: 'typo@one.test' }).outcome('postmaster')).toBe('#2')
    expect(await mdaOf(world, { administrator: 'postmaster@one.test' }).outcome('postmaster')).toBe('#2')
  })

  it('were said to have gone to an address that does not exist', async () => {
    const { expand } = mdaOf({ accounts }, { administrator: 'typo@one.test' })
    expect(await expand('postmaster')).toMatchObject({ facts: [{ by: 'alias', targets: ['root@one.test'] }] })
  })

  it('may be an account or an alias of their own, and an alias that leads nowhere does not count', async () => {
    const own = { accounts: [...accounts, 'abuse@one.test'] }
    expect(await mdaOf(own).outcome('abuse@one.test')).toBe('#3')
    const aliased = (targets: string[]) => mdaOf({ accounts, aliases: { 'postmaster@one.test': targets } })
    expect(await aliased(['alice@one.test']).outcome('postmaster@one.test')).toBe('#1')
    expect(await aliased(['typo@one.test']).outcome('postmaster@one.test')).toBe('#2')
    expect(await aliased(['postmaster@one.test']).outcome('postmaster@one.test')).toBe('#2')
    const all = ['alice@one.test', 'postmaster@one.test']
    const aliases = { 'all@one.test': all, 'postmaster@one.test': ['alice@one.test'] }
    expect(await mdaOf({ accounts, aliases }).outcome('all@one.test')).toBe('#1')
  })

  it('were left out of an alias beside somebody, while the configured address does not exist', async () => {
    const world = { accounts, aliases: { 'all@one.test': ['alice@one.test', 'postmaster@one.test'] } }
    expect(await mdaOf(world, { administrator: 'typo@one.test' }).outcome('all@one.test')).toBe('#1 #2')
    expect(await mdaOf(world, { administrator: 'alice@one.test' }).outcome('all@one.test')).toBe('#1')
  })

  it('take mail though the mailbox be full; before any account exists nobody can', async () => {
    const usage = { 'root@one.test': 10 }
    expect(await mdaOf({ accounts, usage }).outcome('postmaster@one.test')).toBe('#2')
    expect(await mdaOf({ accounts, usage }).outcome('root@one.test')).toBe('452 4.2.2')
    expect(await mdaOf({ accounts: [] }).outcome('postmaster')).toBe('550 5.1.1')
  })

  it('lent their right to be filed beyond the quota to who else was behind an alias', async () => {
    const aliases = { 'all@one.test': ['full@one.test', 'postmaster@one.test'] }
    const full = { login: 'full@one.test', quota: 1 }
    const { outcome } = mdaOf({ accounts: [...accounts, full], aliases, usage: { 'full@one.test': 5 } })
    expect(await outcome('all@one.test')).toBe('#2 #3 later')
    for (const targets of ['postmaster full', 'full postmaster full', 'full root postmaster abuse']) {
      const all = targets.split(' ').map((name) => `${name}@one.test`)
      const world = { accounts: [...accounts, full], aliases: { 'all@one.test': all }, usage: { 'full@one.test': 5 } }
      expect(await mdaOf(world).outcome('all@one.test'), targets).toBe('#2 #3 later')
    }
    const administrator = { accounts, aliases: { 'all@one.test': ['root@one.test', 'postmaster@one.test'] } }
    expect(await mdaOf({ ...administrator, usage: { 'root@one.test': 10 } }).outcome('all@one.test')).toBe('#2')
  })

  it('come from the first account while nobody is an administrator', async () => {
    expect(await mdaOf({ accounts: [{ login: 'a@one.test', removedAt: 1 }, 'b@one.test'] }).outcome('postmaster')).toBe(
      '#2',
    )
  })
})

describe('quota', () => {
  const world = {
    accounts: [{ login: 'alice@one.test', quota: 1000 }, 'bob@one.test'],
    usage: { 'alice@one.test': 900, 'bob@one.test': 1e9 },
    aliases: { 'all@one.test': ['alice@one.test', 'bob@one.test'], 'info@one.test': ['alice@one.test'] },
  }
  const { outcome } = mdaOf(world)

  it('counts what is there and what is declared', async () => {
    expect(await outcome('alice@one.test', { size: 100 })).toBe('#1')
    expect(await outcome('alice@one.test', { size: 101 })).toBe('452 4.2.2')
    expect(await outcome('alice@one.test', { ...submission, size: 101 })).toBe('552 5.2.2')
    expect(await outcome('bob@one.test', { size: 1e9 })).toBe('#2')
    expect(await mdaOf({ ...world, usage: { 'alice@one.test': 1000 } }).outcome('alice@one.test')).toBe('452 4.2.2')
  })

  it('was not said to be smaller than the message, which was tried for days', async () => {
    expect(await outcome('alice@one.test', { size: 1000 })).toBe('452 4.2.2')
    expect(await outcome('alice@one.test', { size: 1001 })).toBe('552 5.2.3')
    expect(await outcome('info@one.test', { ...submission, size: 1001 })).toBe('552 5.2.3')
    expect(await outcome('all@one.test', { size: 1001 })).toBe('#2 #1 later')
    const carol = { login: 'carol@one.test', quota: 2000 }
    const aliases = { 'two@one.test': ['alice@one.test', 'carol@one.test'] }
    const others = mdaOf({ accounts: [...world.accounts, carol], usage: { 'carol@one.test': 2000 }, aliases })
    expect(await others.outcome('two@one.test', { size: 1001 })).toBe('452 4.2.2')
  })

  it('of one does not keep the mail of an alias from the others, nor lose it for the one', async () => {
    expect(await outcome('all@one.test', { size: 500 })).toBe('#2 #1 later')
    expect(await outcome('info@one.test', { size: 500 })).toBe('452 4.2.2')
  })
})

it('lets others have their turns while it follows an alias to thousands', async () => {
  const logins = Array.from({ length: 1000 }, (_, i) => `user${i}@one.test`)
  const { expand } = mdaOf({ accounts: logins, aliases: { 'all@one.test': logins } })
  let turns = 0
  const turn = (): void => {
    turns++
    if (turns < 1000) setImmediate(turn)
  }
  setImmediate(turn)
  expect(await expand('all@one.test')).toMatchObject({ kind: 'accepted', deliveries: { length: 1000 } })
  expect(turns).toBeGreaterThan(5)
})
