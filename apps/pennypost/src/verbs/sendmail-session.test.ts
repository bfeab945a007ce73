import { connect, Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { sendmailSession } from './sendmail-session.ts'

vi.mock('node:net', { spy: true })

test('a user who may not speak to the server was told of a fault of the program', async () => {
  vi.mocked(connect).mockImplementationOnce(() => {
    const error = Object.assign(new Error('connect EACCES submission.sock'), { code: 'EACCES' })
    return new Socket().destroy(error)
  })
  const session = sendmailSession('submission.sock', new PassThrough(), new PassThrough())
  await expect(session).rejects.toMatchObject({ reason: 'not-allowed', message: expect.stringMatching(/submission/) })
})
