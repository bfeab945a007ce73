import { accountId } from '@pennypost/model'
import { describe, expect, it } from 'vitest'
import { planFilings } from './filing.ts'
import type { Delivery, FileDelivery, RelayDelivery } from './mda.ts'

const file = (account: number, deliveredTo: string): FileDelivery => ({
  kind: 'file',
  account: accountId(account),
  deliveredTo,
})
const forward: RelayDelivery = { kind: 'relay', forwardPath: 'x@far.test', trace: 'Delivered-To: fwd@one.test\r\n' }
const plain: RelayDelivery = { kind: 'relay', forwardPath: 'y@far.test', trace: '' }

describe('planFilings', () => {
  it('files once per account, for the first forward-path, and names them all', () => {
    const plan = planFilings({
      reversePath: 'sender@far.test',
      verdict: 'accept',
      recipients: [
        { forwardPath: 'Sales@one.test', deliveries: [file(1, 'Sales@one.test'), file(2, 'Sales@one.test')] },
        { forwardPath: 'alice@one.test', deliveries: [file(1, 'alice@one.test')] },
        { forwardPath: 'alice@one.test', deliveries: [file(1, 'alice@one.test')] },
      ],
    })
    expect(plan.filings).toEqual([
      {
        account: 1,
        mailbox: 'INBOX',
        delivery: Buffer.from('Return-Path: <sender@far.test>\r\nDelivered-To: Sales@one.test\r\n'),
        flags: [],
        forwardPaths: ['Sales@one.test', 'alice@one.test'],
      },
      expect.objectContaining({ account: 2, forwardPaths: ['Sales@one.test'] }),
    ])
    expect(plan).toMatchObject({ relays: [], later: [], withheld: [] })
  })

  it('writes the null reverse-path as it is, and addresses beyond ASCII as UTF-8', () => {
    const recipients = [{ forwardPath: 'zoë@one.test', deliveries: [file(1, 'zoë@one.test')] }]
    const [filing] = planFilings({ reversePath: '', verdict: 'accept', recipients }).filings
    expect(filing!.delivery.toString()).toBe('Return-Path: <>\r\nDelivered-To: zoë@one.test\r\n')
  })

  it('relays each recipient, and to the same address once', () => {
    const plan = planFilings({
      reversePath: '',
      verdict: 'accept',
      recipients: [
        { forwardPath: 'fwd@one.test', deliveries: [forward] },
        { forwardPath: 'y@far.test', deliveries: [plain] },
        { forwardPath: 'fwd2@one.test', deliveries: [forward, file(1, 'fwd2@one.test')] },
      ],
    })
    expect(plan.relays).toEqual([
      { recipient: 0, also: [2], relay: forward },
      { recipient: 1, also: [], relay: plain },
    ])
    expect(plan.withheld).toEqual([])
  })

  it('forwarded twice to an address that two aliases wrote in different cases', () => {
    const other: Delivery = { ...forward, forwardPath: 'X@FAR.test' }
    const recipients = [
      { forwardPath: 'fwd@one.test', deliveries: [forward] },
      { forwardPath: 'fwd2@one.test', deliveries: [other] },
    ]
    expect(planFilings({ reversePath: '', verdict: 'accept', recipients }).relays).toEqual([
      { recipient: 0, also: [1], relay: forward },
    ])
  })

  it('relayed twice to an address that was named twice, or named and forwarded to', () => {
    const relayed = (...deliveries: RelayDelivery[]) => {
      const recipients = deliveries.map((delivery) => ({ forwardPath: delivery.forwardPath, deliveries: [delivery] }))
      return planFilings({ reversePath: '', verdict: 'accept', recipients }).relays.map(({ recipient, also }) => [
        recipient,
        ...also,
      ])
    }
    const named = { ...plain, forwardPath: 'x@Far.test' }
    expect(relayed(named, { ...plain, forwardPath: 'x@far.test' }, plain)).toEqual([[0, 1], [2]])
    expect(relayed(forward, named)).toEqual([[0, 1]])
    expect(relayed(named, forward, named)).toEqual([[0, 1, 2]])
    // What differs in case alone may be another mailbox over there.
    expect(relayed(named, { ...named, forwardPath: 'X@far.test' })).toEqual([[0], [1]])
  })

  it('puts doubtful mail into Junk and does not forward it', () => {
    const plan = planFilings({
      reversePath: '',
      verdict: 'quarantine',
      recipients: [
        { forwardPath: 'alice@one.test', deliveries: [file(1, 'alice@one.test'), forward] },
        { forwardPath: 'fwd@one.test', deliveries: [forward] },
        { forwardPath: 'y@far.test', deliveries: [plain] },
      ],
    })
    expect(plan.filings).toMatchObject([{ account: 1, mailbox: '\\Junk' }])
    expect(plan.relays).toEqual([{ recipient: 2, also: [], relay: plain }])
    expect(plan.withheld).toEqual([1])
  })

  it('leaves for later what is full, and what would be too much for one transaction', () => {
    const full: FileDelivery = { ...file(9, 'list@one.test'), later: true }
    const many = Array.from({ length: 5 }, (_, i) => file(i, 'list@one.test'))
    const recipients = [
      { forwardPath: 'list@one.test', deliveries: [full, ...many] },
      { forwardPath: 'list2@one.test', deliveries: [full, ...many] },
    ]
    const plan = planFilings({ reversePath: '', verdict: 'accept', recipients }, 3)
    expect(plan.filings.map((filing) => filing.account)).toEqual([0, 1, 2])
    expect(plan.later).toEqual([
      { recipient: 0, filing: full },
      { recipient: 0, filing: many[3] },
      { recipient: 0, filing: many[4] },
    ])
  })

  it('a full account that was reached as postmaster too got the message twice', () => {
    const full: FileDelivery = { ...file(2, 'sales@one.test'), later: true }
    const plan = planFilings({
      reversePath: '',
      verdict: 'accept',
      recipients: [
        { forwardPath: 'sales@one.test', deliveries: [file(1, 'sales@one.test'), full] },
        { forwardPath: 'postmaster@one.test', deliveries: [{ ...file(2, 'postmaster@one.test'), always: true }] },
      ],
    })
    expect(plan.filings.map(({ account, forwardPaths }) => ({ account, forwardPaths }))).toEqual([
      { account: 1, forwardPaths: ['sales@one.test'] },
      { account: 2, forwardPaths: ['postmaster@one.test', 'sales@one.test'] },
    ])
    expect(plan.later).toEqual([])
  })
})
