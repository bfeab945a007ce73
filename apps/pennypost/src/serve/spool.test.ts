import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AdminError, type LocalOutcome } from '@pennypost/admin/client'
import { journeyId } from '@pennypost/model'
import { lostWithPower } from '@pennypost/model/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { spoolFacts, takeSpool, writeSpool } from './spool.ts'

describe('spool', () => {
  let directory: string
  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'pennypost-spool-')), 'spool')
  })
  afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }))

  const journey = journeyId('0123456789ABCDEF')
  const envelope = { reversePath: 'a@one.test', forwardPaths: ['b@one.test', 'ü@one.test'], user: 'cron' }

  /** Takes the spool; what was submitted, as text. */
  async function take(answer?: (text: string) => void) {
    const texts: string[] = []
    const taken = await takeSpool(directory, 0, async ({ content, ...rest }) => {
      let text = ''
      for await (const octets of content) text += octets.toString('latin1')
      answer?.(text)
      texts.push(text)
      expect(rest).toEqual(envelope)
      return { journey, refused: [] }
    })
    return { taken, texts }
  }

  test('what is written comes back octet by octet, once, oldest first', async () => {
    const large = Buffer.alloc(300_000, 'x\ny\0')
    await writeSpool(directory, envelope, Buffer.from('first\n{}\n'))
    await writeSpool(directory, envelope, large)
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
    const { taken, texts } = await take()
    expect(taken).toEqual({ submitted: 2, left: 0, refused: [] })
    expect(texts.toSorted()).toEqual(['first\n{}\n', large.toString('latin1')].toSorted())
    expect((await take()).texts).toEqual([])
    expect(readdirSync(directory)).toEqual([])
  })

  test('the first message of a machine was lost with the power, and one that was taken was sent again', async () => {
    const root = join(directory, '..')
    expect(await lostWithPower(root, () => writeSpool(directory, envelope, Buffer.from('x')))).toEqual([])
    expect(await lostWithPower(root, take)).toEqual([])
  })

  test('the end of a server waited until all of the spool was taken', async () => {
    for (const text of ['first', 'second']) await writeSpool(directory, envelope, Buffer.from(text))
    const ending = new AbortController()
    const submit = async () => {
      ending.abort()
      return { journey, refused: [] }
    }
    expect(await takeSpool(directory, 0, submit, ending.signal)).toEqual({ submitted: 1, left: 0, refused: [] })
    expect(readdirSync(directory)).toHaveLength(1)
  })

  test('a message that could not be written to its end left half a file for ever', async () => {
    async function* content() {
      yield Buffer.from('x')
      throw new Error('no room')
    }
    await expect(writeSpool(directory, envelope, content())).rejects.toThrow('no room')
    expect(readdirSync(directory)).toEqual([])
  })

  test('half a file, as a crash leaves it, is not taken', async () => {
    await writeSpool(directory, envelope, Buffer.from('x'))
    writeFileSync(join(directory, 'Y.message.part'), '{"rever')
    expect((await take()).taken.submitted).toBe(1)
    expect(readdirSync(directory)).toEqual(['Y.message.part'])
  })

  test('what fails for now stays, what fails for good is kept aside and named', async () => {
    await writeSpool(directory, envelope, Buffer.from('later'))
    const { taken } = await take(() => {
      throw new Error('the store stops')
    })
    expect(taken).toEqual({ submitted: 0, left: 1, refused: [], why: 'the store stops' })
    const refused = await take(() => {
      throw new AdminError('not-found', 'No such recipient.')
    })
    const [file] = readdirSync(directory)
    expect(refused.taken.refused).toEqual([{ file: file?.replace('.refused', ''), reason: 'No such recipient.' }])
    expect(await spoolFacts(directory)).toEqual({ directory, waiting: 0, refused: 1 })
    expect(readFileSync(join(directory, file as string), 'utf8')).toContain('later')
    expect((await take()).texts).toEqual([])
  })

  test('whoever had a spooled message had it again, for the sake of those who were refused', async () => {
    const content = Buffer.alloc(200_000, 'x\ny')
    const forwardPaths = ['good@one.test', 'nobody@one.test', 'full@one.test']
    await writeSpool(directory, { ...envelope, forwardPaths }, content)
    const seen: (readonly string[])[] = []
    const take = (outcome: LocalOutcome) =>
      takeSpool(directory, 0, async ({ content: given, ...rest }) => {
        seen.push(rest.forwardPaths)
        expect(Buffer.concat(await Array.fromAsync(given)).equals(content)).toBe(true)
        return outcome
      })
    const full = { forwardPath: 'full@one.test', reason: 'unavailable', text: '452 4.2.2 full' } as const
    const nobody = { forwardPath: 'nobody@one.test', reason: 'not-found', text: '550 5.1.1 no' } as const
    const first = await take({ journey, refused: [nobody, full] })
    const reason = 'Not taken for <nobody@one.test>: 550 5.1.1 no'
    expect(first).toEqual({ submitted: 1, left: 1, refused: [{ file: expect.any(String), reason }] })
    const kept = readFileSync(join(directory, `${first.refused[0]?.file}.refused`))
    expect(JSON.parse(kept.toString('utf8', 0, kept.indexOf(10)))).toEqual({
      ...envelope,
      forwardPaths: [nobody.forwardPath],
    })
    expect(kept.subarray(kept.indexOf(10) + 1).equals(content)).toBe(true)
    // Nobody has it now: it stays as it is.
    expect(await take({ refused: [full] })).toEqual({ submitted: 0, left: 1, refused: [] })
    expect(await take({ journey, refused: [] })).toEqual({ submitted: 1, left: 0, refused: [] })
    expect(seen).toEqual([forwardPaths, [full.forwardPath], [full.forwardPath]])
    expect(readdirSync(directory)).toEqual([`${first.refused[0]?.file}.refused`])
  })

  test('a message whose file could not be removed was sent again at each look', async () => {
    await writeSpool(directory, envelope, Buffer.from('x'))
    const settling = new Map<string, LocalOutcome>()
    let sent = 0
    const submit = async (): Promise<LocalOutcome> => {
      if (sent++ === 0) renameSync(directory, `${directory}.away`)
      return { journey, refused: [] }
    }
    const take = () => takeSpool(directory, 0, submit, undefined, settling)
    expect(await take()).toMatchObject({ left: 1, why: expect.stringMatching(/^ENOENT/) })
    renameSync(`${directory}.away`, directory)
    await take()
    expect([sent, readdirSync(directory), settling.size]).toEqual([1, [], 0])
  })

  test('somebody who was full for ever was tried each minute for ever', async () => {
    const forwardPaths = ['full@one.test', 'fuller@one.test']
    await writeSpool(directory, { ...envelope, forwardPaths }, Buffer.from('x'))
    const refused = forwardPaths.map((forwardPath) => {
      return { forwardPath, reason: 'unavailable', text: '452 4.2.2 full' } as const
    })
    const take = (tooOldBefore: number) => takeSpool(directory, tooOldBefore, async () => ({ refused }))
    const [file] = readdirSync(directory)
    const { mtimeMs } = statSync(join(directory, file as string))
    expect(await take(mtimeMs)).toEqual({ submitted: 0, left: 1, refused: [] })
    const reason = 'Not taken for <full@one.test>, <fuller@one.test>: 452 4.2.2 full'
    expect(await take(mtimeMs + 1)).toEqual({ submitted: 0, left: 0, refused: [{ file: expect.any(String), reason }] })
    expect(await spoolFacts(directory)).toEqual({ directory, waiting: 0, refused: 1 })
    expect(await take(mtimeMs + 1)).toEqual({ submitted: 0, left: 0, refused: [] })
  })

  test.runIf(process.platform === 'linux')('what was left stayed open, once more at each look', async () => {
    await writeSpool(directory, envelope, Buffer.from('x'))
    const open = () => readdirSync('/proc/self/fd').length
    const before = open()
    for (let look = 0; look < 5; look++) {
      await takeSpool(directory, 0, async () => {
        throw new Error('no room')
      })
    }
    await expect.poll(open).toBe(before)
  })

  test('a letter that somebody put there as it is was tried again for ever, without a word', async () => {
    await writeSpool(directory, envelope, Buffer.from('x'))
    writeFileSync(join(directory, '0.message'), 'From: a@one.test\n\nhello\n')
    const { taken } = await take()
    const reason = 'It is no spooled message.'
    expect(taken).toEqual({ submitted: 1, left: 0, refused: [{ file: '0.message', reason }] })
  })

  test('no spool at all is an empty one, junk in it is refused', async () => {
    expect((await take()).taken.submitted).toBe(0)
    await writeSpool(directory, envelope, Buffer.from('x'))
    writeFileSync(join(directory, '0.message'), 'no line end')
    const { taken } = await take()
    expect(taken).toMatchObject({ submitted: 1, refused: [{ file: '0.message' }] })
  })
})
