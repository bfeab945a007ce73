import { once } from 'node:events'
import { connect } from 'node:net'
import { type Readable, Transform, type Writable } from 'node:stream'
import { AdminError, NoServer } from '@pennypost/admin/client'

/**
 * `sendmail -bs`: SMTP over standard input and output, as the mailers of PHP frameworks want it unless told otherwise. It
 * is the session of a local program with the running server, passed through; each RCPT and each message has its reply.
 * Scripts end their lines with LF, which would end no content: theirs are mended.
 *
 * Resolves when the server has ended the session. Rejects with `NoServer` when none runs, `AdminError` where the user may
 * not speak to it, or with the system's error.
 */
export async function sendmailSession(socketPath: string, input: Readable, output: Writable): Promise<void> {
  const socket = connect(socketPath)
  try {
    await once(socket, 'connect')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ECONNREFUSED'].includes(code)) throw new NoServer()
    if (code !== 'EACCES') throw error
    const advice = 'Run this as the user who runs the server, or as root.'
    throw new AdminError('not-allowed', `You may not open the socket ${socketPath}.`, advice, { cause: error })
  }
  const lines = scriptLines()
  input.pipe(lines).pipe(socket)
  socket.pipe(output, { end: false })
  await once(socket, 'close')
  input.unpipe(lines)
  input.destroy()
}

/**
 * Whoever ends the first line with LF alone is a script: each of its lines is ended with CRLF. All others are passed on as
 * they come.
 */
function scriptLines(): Transform {
  let isScript: boolean | undefined
  let endsWithCr = false
  return new Transform({
    transform(octets: Buffer, _encoding, done) {
      const text = `${endsWithCr ? '\r' : ''}${octets.toString('latin1')}`
      if (text.includes('\n')) isScript ??= !/^[^\n]*\r\n/.test(text)
      const isMended = isScript === true
      const mended = isMended ? text.replace(/\r?\n/g, '\r\n').slice(endsWithCr ? 1 : 0) : ''
      endsWithCr = octets.at(-1) === 13
      done(null, isMended ? Buffer.from(mended, 'latin1') : octets)
    },
  })
}
