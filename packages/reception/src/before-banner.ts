import type { Deadline } from '@pennypost/model'
import type { Connection } from '@pennypost/transport'

/**
 * A stranger shows before the banner whether it waits for us. The stream is left as the session expects it.
 * Who calls it: `service.ts`, for each connection.
 */

/**
 * Lets `waitMs` pass before the banner. Programs that send mail to anybody do not wait for it; mail servers do
 * (RFC 5321 §3.1). `early` when the client spoke, `gone` when it left or we drain; only of `patient` a session is made.
 */
export function awaitPatience(
  connection: Connection,
  { deadline, waitMs }: { deadline: Deadline; waitMs: number },
  done: (outcome: 'patient' | 'early' | 'gone') => void,
): void {
  const { stream } = connection
  let waiting = true
  const finish = (outcome: 'patient' | 'early' | 'gone'): void => {
    if (!waiting) return
    waiting = false
    timer[Symbol.dispose]()
    stream.removeListener('data', early)
    stream.removeListener('end', gone)
    stream.removeListener('close', gone)
    done(outcome)
  }
  const early = (): void => finish('early')
  const gone = (): void => finish('gone')
  const timer = deadline.after(waitMs, () => finish('patient'))
  stream.on('data', early)
  stream.on('end', gone)
  stream.on('close', gone)
  connection.onDrain(gone)
}
