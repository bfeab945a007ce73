import type { Session } from '../session/session.ts'
import { printQuoted } from '../wire/strings.ts'

/** How far a command has come, where it can tell. Never under way while a response is half said. */
export interface Progress extends Disposable {
  done: number
}

/**
 * Tells a waiting client now and then that its command still runs (RFC 9585 §3.1), so that neither it nor a middlebox
 * gives up. `goal`: how many steps there are to count; without it nothing is counted.
 */
export function showProgress(session: Session, goal?: number): Progress {
  const { service, tag, out } = session
  const progress = { done: 0, [Symbol.dispose]: () => timer?.[Symbol.dispose]() }
  const tell = (): void => {
    const state = goal ? `${progress.done} ${goal}` : 'NIL NIL'
    session.untagged(`OK [INPROGRESS (${printQuoted(tag)} ${state})] Still at it`)
    out.flush()
    timer = service.deadline.after(service.limits.progressMs, tell)
  }
  let timer = service.registry.has('INPROGRESS') ? service.deadline.after(service.limits.progressMs, tell) : undefined
  return progress
}

/** Does it with signs of life. */
export async function patiently<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
  using _ = showProgress(session)
  return await work()
}
