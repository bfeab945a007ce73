import { describe, expect, test } from 'vitest'
import { mailboxName } from './mailbox-name.ts'
import { isAmongOthers, othersMailbox, othersName } from './others-mailboxes.ts'

describe('names of mailboxes of others', () => {
  test.each([
    ['alice@one.test', 'INBOX', 'Other Users/alice@one.test/INBOX'],
    ['alice@one.test', 'a/b/c', 'Other Users/alice@one.test/a/b/c'],
    ['a/b%c*d=e@one.test', 'x', 'Other Users/a=2Fb=25c=2Ad=3De@one.test/x'],
    ['pelé@one.test', 'Äpfel', 'Other Users/pelé@one.test/Äpfel'],
  ])('%s, %s: %s', (login, name, whole) => {
    expect(othersName(login, name)).toBe(whole)
    expect(othersMailbox(whole)).toEqual({ login, name })
    expect(isAmongOthers(whole)).toBe(true)
    expect(mailboxName(whole)).toBe(whole)
  })

  test.each([
    'INBOX',
    'Other Users',
    'Other Users/alice@one.test',
    'other users/a/b',
    'Other Users/a=41/x',
    'Other Users//x',
  ])('%s means no mailbox of anybody', (name) => {
    expect(othersMailbox(name)).toBeUndefined()
  })

  test('INBOX is INBOX in any case there too', () => {
    expect(othersMailbox('Other Users/a@one.test/inbox/x')).toEqual({ login: 'a@one.test', name: 'INBOX/x' })
  })

  test('only that first level is set apart', () => {
    expect(isAmongOthers('Other Users')).toBe(true)
    expect(isAmongOthers('Other Userss')).toBe(false)
    expect(isAmongOthers('Work/Other Users')).toBe(false)
  })
})
