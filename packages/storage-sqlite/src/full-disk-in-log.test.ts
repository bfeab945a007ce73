import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog, systemDeadline } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { openStore, temporaryDirectory } from '../test/temporary-store.ts'

test('the log says once that the disk is down to its reserve, and when there is room again', async () => {
  const directory = temporaryDirectory()
  const clock = virtualClock()
  const space = { free: 10_000_000, total: 10_000_000 }
  const lines: string[] = []
  const noting = (level: string) => (_: object, text: string) => lines.push(`${level} ${text}`)
  const log = { ...silentLog, warn: noting('warn'), info: noting('info') }
  const deadline = { ...systemDeadline, after: clock.after }
  try {
    await using _ = await openStore(directory, {
      clock,
      deadline,
      log,
      space: () => space,
      limits: { ballastOctets: 0 },
    })
    await clock.advance(120_000)
    expect(lines).toEqual([])
    space.free = 400_000
    await clock.advance(120_000)
    const low = 'warn storage: the disk is down to its reserve: new mail is put off; make room'
    expect(lines).toEqual([low])
    space.free = 10_000_000
    await clock.advance(120_000)
    expect(lines).toEqual([low, 'info storage: there is room again: new mail is taken'])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test.runIf(process.platform === 'linux')('a start without room or ballast did not say what to do', async () => {
  const directory = temporaryDirectory()
  try {
    symlinkSync('/dev/full', join(directory, 'ballast.probe'))
    await expect(openStore(directory)).rejects.toThrow(
      `${directory}/mail.db cannot be opened without any room on its disk; make some: ENOSPC`,
    )
    await using _ = await openStore(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
