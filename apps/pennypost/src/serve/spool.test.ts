import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AdminError } from '@pennypost/admin/client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { takeSpool, writeSpool } from './spool.ts'

describe('spool', () => {
  let directory: string
  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'pennypost-spool-')), 'spool')
  })
  afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }))

  const envelope = { reversePath: 'a@one.test', forwardPaths: ['b@one.test', 'ü@one.test'], user: 'cron' }

  /** Takes the spool; what was submitted, as text. */
  async function take(answer?: (text: string) => void) {
    const texts: string[] = []
    const taken = await takeSpool(directory, async ({ content, ...rest }) => {
      let text = ''
      for await (const octets of content) text += octets.toString('latin1')
      answer?.(text)
      texts.push(text)
      expect(rest).toEqual(envelope)
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
    expect(taken).toEqual({ submitted: 0, left: 1, refused: [] })
    const refused = await take(() => {
      throw new AdminError('not-found', 'No such recipient.')
    })
    const [file] = readdirSync(directory)
    expect(refused.taken.refused).toEqual([{ file: file?.replace('.refused', ''), reason: 'No such recipient.' }])
    expect(readFileSync(join(directory, file as string), 'utf8')).toContain('later')
    expect((await take()).texts).toEqual([])
  })

  test.runIf(process.platform === 'linux')('what was left stayed open, once more at each look', async () => {
    await writeSpool(directory, envelope, Buffer.from('x'))
    const open = () => readdirSync('/proc/self/fd').length
    const before = open()
    for (let look = 0; look < 5; look++) {
      await takeSpool(directory, async () => {
        throw new Error('no room')
      })
    }
    await expect.poll(open).toBe(before)
  })

  test('no spool at all is an empty one, junk in it is refused', async () => {
    expect((await take()).taken.submitted).toBe(0)
    await writeSpool(directory, envelope, Buffer.from('x'))
    writeFileSync(join(directory, '0.message'), 'no line end')
    const { taken } = await take()
    expect(taken).toMatchObject({ submitted: 1, refused: [{ file: '0.message' }] })
  })
})
