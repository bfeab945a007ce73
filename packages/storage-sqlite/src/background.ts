import { StoreError } from '@pennypost/model'
import type { Engine } from './engine.ts'

/** Work that nobody waits for. What fails is logged and comes again at the next start; a closing store ends it. Never rejects. */
export function inBackground({ log }: Pick<Engine, 'log'>, what: string, work: () => Promise<void>): Promise<void> {
  return work().catch((error: unknown) => {
    if (error instanceof StoreError && error.reason === 'unavailable') return
    log.error({ err: error, what }, 'storage: background work failed')
  })
}
