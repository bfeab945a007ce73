/**
 * A message from a local program (`pennypost sendmail`), accepted by the running server as if it had been submitted.
 * Its content comes as pieces of the upload.
 */
import { type Domain, lookupAddress } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext, LocalSubmission } from '../context.ts'
import type { LocalOutcome } from '../local-outcome.ts'
import { operation } from '../operation.ts'
import type { Frame } from '../socket/frames.ts'
import { unhurried } from '../unhurried.ts'

export const submit = operation({
  name: 'submit',
  kind: 'change',
  input: z.strictObject({
    /** '' for the null reverse-path; a name without a domain is completed, as forward-paths are. */
    reversePath: z.string().max(320),
    forwardPaths: z.array(z.string().min(1).max(320)).min(1).max(10_000),
    user: z.string().max(256),
  }),
  run: (context, message, { upload }) => submitLocally(context, { ...message, content: piecesOf(upload) }),
})

/**
 * Hands a message of a local program to the running server. Programs name people without a domain (`root`, `alice`):
 * that is the account or alias of the name in one of our domains, or else, for a recipient, the administrator.
 */
export async function submitLocally(context: AdminContext, message: LocalSubmission): Promise<LocalOutcome> {
  const { running, installation } = context
  if (!running) throw new AdminError('needs-server', 'Only the running server takes mail.', 'Start it, then try again.')
  const sender = message.reversePath
  const isBare = [sender, ...message.forwardPaths].some((path) => !path.includes('@'))
  const domains = isBare ? await context.store.directory.domains() : []
  const forwardPaths: string[] = []
  for (const path of message.forwardPaths) {
    forwardPaths.push((await complete(context, domains, path)) ?? `postmaster@${installation.hostname}`)
  }
  const reversePath =
    sender === '' ? '' : ((await complete(context, domains, sender)) ?? `${sender}@${installation.hostname}`)
  return running.submit({ ...message, reversePath, forwardPaths: [...new Set(forwardPaths)] })
}

/** The address that a name without a domain means; undefined when nobody here has it. */
async function complete(
  { store: { directory } }: AdminContext,
  domains: readonly Domain[],
  name: string,
): Promise<string | undefined> {
  if (name.includes('@')) return name
  for await (const domain of unhurried(domains)) {
    if (domain.kind !== 'local') continue
    const address = lookupAddress(`${name}@${domain.name}`)
    if (address === undefined) continue
    if ((await directory.accountByLogin(address)) ?? (await directory.alias(address))) return address
  }
  return undefined
}

/** The octets of one content, which must be complete: a caller that died half-way has sent nothing. */
async function* piecesOf(upload: AsyncIterable<Frame>): AsyncGenerator<Buffer> {
  for await (const frame of upload) {
    if ('end' in frame) return
    if ('octets' in frame) yield frame.octets
  }
  throw new AdminError('bad-input', 'The message ended before it was complete.')
}
