import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Deadline, systemDeadline } from '@pennypost/model'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLog, type ProgramLog } from './log.ts'

let directory: string
let file: string
let due: (() => void)[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pennypost-log-'))
  file = join(directory, 'log')
  due = []
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Its time passes when `due` is run. */
const deadline: Deadline = {
  ...systemDeadline,
  after(_delayMs, expire) {
    due.push(expire)
    return { refresh() {}, [Symbol.dispose]() {} }
  },
}

const open = (): ProgramLog => createLog({ file, level: 'info', now: () => 0, deadline })
const lines = (): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { msg: string }).msg)
const written = (...texts: string[]) => expect.poll(() => lines()).toEqual(texts)

test('lines are held for a moment, and then all are there', async () => {
  const { log } = open()
  await written()
  log.info({}, 'one')
  log.info({}, 'two')
  expect(due).toHaveLength(1)
  expect(lines()).toEqual([])
  due[0]?.()
  await written('one', 'two')
  log.info({}, 'three')
  expect(due).toHaveLength(2)
})

test('the first line behind one that a full disk had cut off ran into it', () => {
  writeFileSync(file, '{"msg":"whole"}\n{"msg":"cu')
  open().log.error({}, 'begun')
  expect(readFileSync(file, 'utf8')).toMatch(/"whole"}\n{"msg":"cu\n{.*"msg":"begun"/)
  open().log.error({}, 'again')
  expect(readFileSync(file, 'utf8')).not.toContain('\n\n')
})

test('an error takes all before it along', async () => {
  const { log, errors } = open()
  log.info({}, 'one')
  log.error({}, 'broken')
  await written('one', 'broken')
  expect(errors).toEqual([{ at: 0, text: 'broken' }])
})

test('the last error that status showed was "command failed", and not what had failed', () => {
  const { log, errors } = open()
  log.error({ err: new Error('the key cannot be read') }, 'command failed')
  log.error({ error: 'no room' }, 'spool not taken')
  expect(errors.map(({ text }) => text)).toEqual(['command failed: the key cannot be read', 'spool not taken: no room'])
})

test('nothing is held when the program ends', async () => {
  const program = open()
  await written()
  program.log.info({}, 'last')
  program.flush()
  expect(lines()).toEqual(['last'])
})

test.skipIf(!existsSync('/dev/full'))('a log on a full disk ends nothing, holds up no end, and says so once', () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const program = createLog({ file: '/dev/full', level: 'info', now: () => 0, deadline })
    program.log.error({}, 'lost')
    expect(said).toHaveBeenCalledWith(expect.stringContaining('ENOSPC'))
    program.log.error({}, 'lost too')
    program.log.info({}, 'held')
    program.flush()
    expect(said).toHaveBeenCalledTimes(1)
  } finally {
    said.mockRestore()
  }
})

test('what could not be written goes ahead of what can, and a rotated file is a new one', () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    mkdirSync(file)
    const program = open()
    program.log.error({}, 'nowhere to go')
    rmdirSync(file)
    program.log.error({}, 'there')
    expect(lines()).toEqual(['nowhere to go', 'there'])
    program.log.info({}, 'before rotation')
    renameSync(file, `${file}.1`)
    program.reopen()
    program.log.error({}, 'after it')
    expect(lines()).toEqual(['after it'])
    expect(readFileSync(`${file}.1`, 'utf8')).toContain('before rotation')
    expect(said).toHaveBeenCalledTimes(1)
  } finally {
    said.mockRestore()
  }
})
