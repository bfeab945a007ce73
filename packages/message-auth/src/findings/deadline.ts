import type { Deadline } from '@pennypost/model'

/** A time limit around one check. Who calls it: the checker, for every finding; reception, for what its filters find. */

/** What `work` finds; `otherwise(reason)` when it rejects, when `limitMs` passes, or when `signal` fires. Never rejects. */
export async function within<T>(
  { deadline, limitMs, signal }: { deadline: Deadline; limitMs: number; signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
  otherwise: (reason: string) => T,
): Promise<T> {
  const ended = new AbortController()
  using _timer = deadline.after(limitMs, () => ended.abort(new Error(`not known after ${limitMs} ms`)))
  const stop = AbortSignal.any([ended.signal, signal])
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(stop.reason)
  if (stop.aborted) abort()
  stop.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([aborted.promise, work(stop)])
  } catch (error) {
    return otherwise(error instanceof Error ? error.message : String(error))
  } finally {
    stop.removeEventListener('abort', abort)
  }
}
