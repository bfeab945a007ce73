import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lostWithPower } from '@pennypost/model/testing'
import { Command } from 'commander'
import { expect, test, vi } from 'vitest'
import { register } from './init.ts'

test('an installation whose records were published had no configuration after a loss of power', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pennypost-init-'))
  const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    const program = new Command()
    register(program)
    const given = ['init', '--domain', 'one.test', '--dir', join(root, 'mail'), '--json']
    expect(await lostWithPower(root, () => program.parseAsync(given, { from: 'user' }))).toEqual([])
    expect(said).toHaveBeenCalledWith(expect.stringContaining('pennypost.toml'))
  } finally {
    said.mockRestore()
    rmSync(root, { recursive: true })
  }
})
