/**
 * A message from a local program (`pennypost sendmail`), accepted by the running server as if it had been submitted.
 * Its content comes as pieces of the upload.
 */
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import { operation } from '../operation.ts'
import type { Frame } from '../socket/frames.ts'

export const submit = operation({
  name: 'submit',
  kind: 'change',
  input: z.strictObject({
    /** '' for the null reverse-path. */
    reversePath: z.string().max(320),
    forwardPaths: z.array(z.string().min(1).max(320)).min(1).max(10_000),
    user: z.string().max(256),
  }),
  async run({ running }, message, { upload }) {
    if (!running)
      throw new AdminError('needs-server', 'Only the running server takes mail.', 'Start it, then try again.')
    return running.submit({ ...message, content: piecesOf(upload) })
  },
})

/** The octets of one content, which must be complete: a caller that died half-way has sent nothing. */
async function* piecesOf(upload: AsyncIterable<Frame>): AsyncGenerator<Buffer> {
  for await (const frame of upload) {
    if ('end' in frame) return
    if ('octets' in frame) yield frame.octets
  }
  throw new AdminError('bad-input', 'The message ended before it was complete.')
}
