/**
 * A server on a file system that is really full: new mail is refused in time to come again, everything else goes on,
 * and what was acknowledged is there. Needs root, for mount.
 */
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { type Dialogue, openDialogue, openImapDialogue, openPop3Dialogue } from './full-disk-dialogue.ts'
import { canMount, type DiskKind, mountSmallDisk, type SmallDisk } from './full-disk-places.ts'
import { eventually, type Instance, startInstance } from './instance.ts'
import { inbox } from './letters.ts'

// A disk is filled letter by letter.
vi.setConfig({ testTimeout: 120_000 })

const bob = 'bob@one.test'
const small = 2_000
const large = 300_000
const noRoom = /^a\d+ NO \[UNAVAILABLE\]/m
const done = /^a\d+ OK/m

function letterOf(octets: number): Buffer {
  const text =
    randomBytes(octets)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  const head = `From: x@elsewhere.test\r\nSubject: ${randomBytes(9).toString('hex')}\r\n\r\n`
  return Buffer.from(`${head}${text.join('\r\n')}`.slice(0, octets - 2).concat('\r\n'))
}

async function start(disk: SmallDisk): Promise<Instance> {
  return startInstance({ domain: 'one.test', accounts: ['alice', 'bob'], directory: disk.directory })
}

/** Delivers until it is refused for want of room; gives what was acknowledged. */
async function deliverUntilRefused(at: Instance, octets: number, size: boolean): Promise<Buffer[]> {
  using lmtp = await openDialogue(at.port('lmtp'), 'LHLO client.test')
  const acknowledged: Buffer[] = []
  for (;;) {
    const raw = letterOf(octets)
    const reply = await lmtp.deliver(bob, raw, size)
    if (!reply.startsWith('250')) {
      expect(reply).toMatch(/^452 4\.3\.1 /)
      return acknowledged
    }
    acknowledged.push(raw)
  }
}

async function appendUntilRefused(at: Instance, octets: number): Promise<Buffer[]> {
  using imap = await openImapDialogue(at.port('imaps'), bob)
  const acknowledged: Buffer[] = []
  for (;;) {
    const raw = letterOf(octets)
    const response = await imap.append('INBOX', raw)
    if (!done.test(response)) {
      expect(response).toMatch(noRoom)
      return acknowledged
    }
    acknowledged.push(raw)
  }
}

/** The letters are in Bob's INBOX, each once and octet by octet. */
async function expectOnce(at: Instance, letters: readonly Buffer[]): Promise<void> {
  const stored = await inbox(at, bob)
  const times = letters.map((raw) => stored.filter((found) => found.endsWith(raw.toString())).length)
  expect(times).toEqual(letters.map(() => 1))
}

const checked = (at: Instance): Promise<unknown[]> => Array.fromAsync(at.server.store.check())

/** The server has made its ballast, which is as large as the reserve here. */
async function ballastIsThere(disk: SmallDisk): Promise<void> {
  const wanted = Math.floor(disk.total() * 0.05)
  const size = () => statSync(join(disk.directory, 'data', 'ballast'), { throwIfNoEntry: false })?.size
  await eventually(async () => size() === wanted || undefined, 'a ballast')
}

/** The store says that there is room, or none. */
async function hasRoom(at: Instance, wanted: boolean): Promise<void> {
  const given = (): boolean => {
    using room = at.server.store.mail.reserve(0)
    return room !== undefined
  }
  await eventually(async () => given() === wanted || undefined, `room is ${wanted}`)
}

/** What needs room and must not get it. */
async function expectRefusals(at: Instance): Promise<void> {
  for (const [port, hello] of [
    ['smtp', 'EHLO client.test'],
    ['lmtp', 'LHLO client.test'],
  ] as const) {
    using session = await openDialogue(at.port(port), hello)
    expect(await session.say('MAIL FROM:<x@elsewhere.test>')).toMatch(/^452 4\.3\.1 /)
    expect(await session.say('MAIL FROM:<x@elsewhere.test> SIZE=1000')).toMatch(/^452 4\.3\.1 /)
  }
  using imap = await openImapDialogue(at.port('imaps'), bob)
  expect(await imap.append('INBOX', letterOf(small))).toMatch(noRoom)
  expect(await imap.command('COPY 1 Archive')).toMatch(noRoom)
}

/** What goes on; takes Bob's first two messages away. */
async function expectTheRestGoesOn(at: Instance, letter: Buffer): Promise<void> {
  using imap = await openImapDialogue(at.port('imaps'), bob)
  expect(await imap.command('FETCH 1 BODY.PEEK[]')).toContain(letter.toString())
  expect(await imap.command('STORE 1 +FLAGS (\\Deleted \\Seen)')).toMatch(
    /^\* 1 FETCH \(.*\\Deleted.*\r\n(?:.*\r\n)*a\d+ OK/m,
  )
  expect(await imap.command('EXPUNGE')).toMatch(/^\* 1 EXPUNGE\r\n(?:.*\r\n)*a\d+ OK/m)
  expect(await imap.command('MOVE 1 Trash')).toMatch(done)
  expect(await imap.command('LOGOUT')).toMatch(done)
}

async function expectPop3GoesOn(at: Instance): Promise<void> {
  using pop3 = await openPop3Dialogue(at.port('pop3s'), bob)
  for (const line of ['DELE 1', 'QUIT']) expect(await pop3.say(line)).toMatch(/^\+OK/)
}

describe.each<DiskKind>(['tmpfs', 'ext4'])('on %s', (kind) => {
  const title = (text: string): string => `${text} (needs root and mount of ${kind})`
  const itMounts = it.skipIf(!canMount(kind))

  itMounts(title('a server that fills its disk refuses what would touch the reserve, and loses nothing'), async () => {
    using disk = mountSmallDisk(kind) as SmallDisk
    const reserve = disk.total() * 0.05
    const acknowledged: Buffer[] = []
    {
      await using at = await start(disk)
      await ballastIsThere(disk)
      disk.fill(8_000_000)
      acknowledged.push(...(await deliverUntilRefused(at, large, true)))
      acknowledged.push(...(await deliverUntilRefused(at, large, false)))
      acknowledged.push(...(await appendUntilRefused(at, large)))
      acknowledged.push(...(await deliverUntilRefused(at, small, false)))
      expect(disk.free()).toBeGreaterThan(reserve / 2)
      await hasRoom(at, false)
      await expectRefusals(at)
      await expectTheRestGoesOn(at, acknowledged[0] as Buffer)
      await expectPop3GoesOn(at)
      await expectOnce(at, acknowledged.slice(3))
      expect(await checked(at)).toEqual([])
      await at.stop()
      await using again = await start(disk)
      await expectOnce(again, acknowledged.slice(3))
    }
  })

  itMounts(title('a disk that others fill to the last octet stops new mail and nothing else'), async () => {
    using disk = mountSmallDisk(kind) as SmallDisk
    const letters = Array.from({ length: 12 }, (_, index) => letterOf(index % 2 ? large : small))
    await using at = await start(disk)
    using lmtp = await openDialogue(at.port('lmtp'), 'LHLO client.test')
    for (const raw of letters) expect(await lmtp.deliver(bob, raw)).toMatch(/^250 /)
    // Two that have begun when the disk becomes full.
    using early = await openDialogue(at.port('smtp'), 'EHLO client.test')
    using earlyLarge = await openDialogue(at.port('smtp'), 'EHLO client.test')
    for (const session of [early, earlyLarge]) {
      for (const step of ['MAIL FROM:<x@elsewhere.test>', `RCPT TO:<${bob}>`, 'DATA']) await session.say(step)
    }
    await ballastIsThere(disk)
    disk.fill()
    await hasRoom(at, false)
    // Promised when there was room: taken if it finds any, which it may in the log.
    const promised = letterOf(small)
    const reply = await early.content(promised)
    expect(reply).toMatch(/^(?:250|452 4\.3\.1) /)
    expect(await earlyLarge.content(letterOf(large))).toMatch(/^452 4\.3\.1 /)
    await expectRefusals(at)
    await expectTheRestGoesOn(at, letters[0] as Buffer)
    await expectPop3GoesOn(at)
    // What was freed, and the ballast if that was given up, is not for new mail.
    await expectRefusals(at)
    letters.splice(0, 3)
    if (reply.startsWith('250')) letters.push(promised)
    expect(await checked(at)).toEqual([])
    await expectOnce(at, letters)
    disk.clear()
    await hasRoom(at, true)
    const later = letterOf(large)
    expect(await lmtp.deliver(bob, later)).toMatch(/^250 /)
    await expectOnce(at, [...letters, later])
    expect(await checked(at)).toEqual([])
  })

  itMounts(title('a disk that is filled again and again never stops what makes room'), async () => {
    using disk = mountSmallDisk(kind) as SmallDisk
    const letters = Array.from({ length: 16 }, (_, index) => letterOf(index % 4 ? small : 100_000))
    await using at = await start(disk)
    using lmtp = await openDialogue(at.port('lmtp'), 'LHLO client.test')
    for (const raw of letters) expect(await lmtp.deliver(bob, raw)).toMatch(/^250 /)
    await ballastIsThere(disk)
    using imap = await openImapDialogue(at.port('imaps'), bob)
    for (let round = 0; round < 5; round++) {
      disk.fill()
      // What POP3 took away in the round before is told first: numbers of messages that are gone are refused.
      expect(await imap.command('NOOP')).toMatch(done)
      expect(await imap.command('STORE 1:* +FLAGS (\\Flagged)')).toMatch(done)
      expect(await imap.command('STORE 1:* -FLAGS (\\Flagged)')).toMatch(done)
      expect(await imap.command('UID MOVE 1:* Trash')).toMatch(done)
      expect(await imap.command('SELECT Trash')).toMatch(done)
      expect(await imap.command('MOVE 1:* INBOX')).toMatch(done)
      expect(await imap.command('SELECT INBOX')).toMatch(done)
      expect(await imap.command('STORE 1 +FLAGS (\\Deleted)')).toMatch(done)
      expect(await imap.command('EXPUNGE')).toMatch(done)
      await expectPop3GoesOn(at)
      letters.splice(0, 2)
    }
    expect(await lmtp.deliver(bob, letterOf(small))).toMatch(/^452 4\.3\.1 /)
    await expectOnce(at, letters)
    expect(await checked(at)).toEqual([])
  })

  itMounts(title('sessions that were promised room get it, and no more is promised than there is'), async () => {
    using disk = mountSmallDisk(kind) as SmallDisk
    await using at = await start(disk)
    await ballastIsThere(disk)
    disk.fill(9_000_000)
    const sessions = await Promise.all(
      Array.from({ length: 12 }, () => openDialogue(at.port('lmtp'), 'LHLO client.test')),
    )
    try {
      const replies = await Promise.all(sessions.map((one) => one.say('MAIL FROM:<x@elsewhere.test> SIZE=1000000')))
      const taken = sessions.filter((_, index) => replies[index]?.startsWith('250'))
      expect(taken.length).toBeGreaterThan(1)
      expect(taken.length).toBeLessThan(sessions.length)
      const letters = taken.map(() => letterOf(1_000_000))
      const deliver = async (session: Dialogue, raw: Buffer): Promise<string> => {
        await session.say(`RCPT TO:<${bob}>`)
        await session.say('DATA')
        return session.content(raw)
      }
      const said = await Promise.all(taken.map((session, index) => deliver(session, letters[index] as Buffer)))
      expect(said.filter((reply) => !reply.startsWith('250'))).toEqual([])
      await expectOnce(at, letters)
      expect(disk.free()).toBeGreaterThan(disk.total() * 0.05 - 300_000)
    } finally {
      for (const session of sessions) session[Symbol.dispose]()
    }
  })

  itMounts(title('a server stops and starts on a full disk'), async () => {
    using disk = mountSmallDisk(kind) as SmallDisk
    const letters = Array.from({ length: 6 }, () => letterOf(large))
    {
      await using at = await start(disk)
      using lmtp = await openDialogue(at.port('lmtp'), 'LHLO client.test')
      for (const raw of letters) expect(await lmtp.deliver(bob, raw)).toMatch(/^250 /)
      await ballastIsThere(disk)
      disk.fill()
      await hasRoom(at, false)
      await at.stop()
      // What the stop gave back is soon somebody else's.
      disk.fill()
      const again = await start(disk)
      await expectRefusals(again)
      await expectTheRestGoesOn(again, letters[0] as Buffer)
      await expectOnce(again, letters.slice(2))
      await again.stop()
    }
  })
})
