import {
  AdminError,
  type AdminRefusal,
  type LocalOutcome,
  type LocalSubmission,
  laterOrNever,
  refusalOf,
} from '@pennypost/admin'
import { type Account, accountId, type Clock, type Deadline, type Dialer, journeyId } from '@pennypost/model'
import { openReception, type ReceptionOptions } from '@pennypost/reception'
import { createSmtpClient, describeReply, type RecipientOutcome } from '@pennypost/smtp'
import { createConnectionLimiter } from '@pennypost/transport'
import { submissionSocket } from '../config/place.ts'

/**
 * Mail that programs of this machine hand in (`pennypost sendmail`): an SMTP session over a Unix socket that only the
 * owner of the data directory can open, so that it takes exactly the way that every submission takes. Whoever may open
 * the socket may send as anybody, as with every /usr/sbin/sendmail.
 */
export interface LocalSubmissions {
  submit(message: LocalSubmission): Promise<LocalOutcome>
  close(): Promise<unknown>
}

export interface LocalSubmissionsOptions {
  reception: ReceptionOptions
  dataDirectory: string
  dialer: Dialer
  clock: Clock
  deadline: Deadline
}

export async function openLocalSubmissions(options: LocalSubmissionsOptions): Promise<LocalSubmissions> {
  const { dataDirectory, dialer, clock, deadline } = options
  // What accounts may send is not what this machine may.
  const { submissionQuota: _, ...reception } = options.reception
  const path = submissionSocket({ dataDirectory })
  const listener = await openReception(
    {
      service: 'submission',
      endpoint: { path, mode: 0o600 },
      limiter: createConnectionLimiter({ connections: 100, connectionsPerAddress: 0 }),
    },
    {
      ...reception,
      // A Unix socket has no address, and all of its clients are trusted.
      trusted: new Map([['', thisHost(reception.hostname)]]),
      mda: { expand: (forwardPath, context) => reception.mda.expand(forwardPath, context), maySend: async () => true },
      offersTls: () => false,
    },
  )
  return {
    close: () => listener.close({ drainMs: 0 }),
    async submit({ reversePath, forwardPaths, user, content }) {
      const { recipients } = reception.limits
      // In several transactions some would have it when another is refused, and whoever tries again sends it twice.
      if (forwardPaths.length > recipients) throw new AdminError('limit', `More than ${recipients} recipients.`)
      const stream = await dialer.connect({ address: path, port: 0 }, deadline.signal(5_000))
      const hostname = helloName(user)
      const client = createSmtpClient(stream, { dialer, deadline, clock, hostname, limits: { recipients } })
      const hello = await client.hello()
      if (!hello.ok) {
        client.close()
        throw new AdminError('unavailable', hello.failure.text)
      }
      const { outcomes } = await client.transact({
        reversePath,
        recipients: forwardPaths.map((forwardPath) => ({ forwardPath })),
        body: content,
        size: null,
        eightBit: true,
      })
      await client.quit()
      const refused = outcomes
        .filter(({ outcome }) => outcome !== 'delivered')
        .map((of) => ({ forwardPath: of.forwardPath, reason: reasonOf(of), text: textOf(of) }))
      const delivered = outcomes.find(({ outcome }) => outcome === 'delivered')?.reply
      const queued = /queued as (\S+)/.exec(delivered?.lines.join(' ') ?? '')
      if (queued) return { journey: journeyId(queued[1] as string), refused }
      if (laterOrNever(refused).later.length === 0) throw refusalOf(refused)
      return { refused }
    },
  }
}

/** RFC 3463 §3.2: 5.1.x is about the address. */
function reasonOf({ outcome, reply }: RecipientOutcome): AdminRefusal {
  if (outcome !== 'failed') return 'unavailable'
  return reply?.enhanced?.startsWith('5.1.') ? 'not-found' : 'bad-input'
}

function textOf({ reply, failure }: RecipientOutcome): string {
  return reply ? describeReply(reply) : (failure?.text ?? 'no answer')
}

/** EHLO takes one word. */
const helloName = (user: string): string => `${user.replace(/[^A-Za-z0-9._-]/g, '-') || 'local'}.localhost`

/** Stands for "a program on this machine" where a session wants to know whose it is. */
function thisHost(hostname: string): Account {
  return {
    id: accountId(0),
    login: `local@${hostname}`,
    name: 'Programs on this machine',
    quota: 0,
    suspended: false,
    admin: false,
    copySent: false,
    createdAt: 0,
    disabledCapabilities: [],
    removedAt: null,
  }
}
