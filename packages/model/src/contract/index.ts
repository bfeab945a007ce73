/**
 * One suite per port, for every engine. `describeStore` is all of them; `describeEquivalence` plays random verbs against
 * two engines and compares what can be seen. Loaded by tests only.
 */
import { describeAnnotations } from './annotations.ts'
import { describeClosing } from './closing.ts'
import { describeCredentials } from './credentials.ts'
import { describeDirectory } from './directory.ts'
import type { OpenEngine } from './engine.ts'
import { describeFlow } from './flow.ts'
import { describeMailStore } from './mail-store.ts'
import { describePolicyMemory } from './policy-memory.ts'
import { describeQueue } from './queue.ts'
import { describeSharing } from './sharing.ts'

export type { EngineOptions, OpenEngine } from './engine.ts'
export { compareEngines, describeEquivalence, type EquivalenceOptions } from './equivalence.ts'
export { recount } from './recount.ts'
export {
  describeAnnotations,
  describeClosing,
  describeCredentials,
  describeDirectory,
  describeFlow,
  describeMailStore,
  describePolicyMemory,
  describeQueue,
  describeSharing,
}

export function describeStore(name: string, open: OpenEngine): void {
  describeMailStore(name, open)
  describeSharing(name, open)
  describeAnnotations(name, open)
  describeQueue(name, open)
  describeDirectory(name, open)
  describeCredentials(name, open)
  describeFlow(name, open)
  describePolicyMemory(name, open)
  describeClosing(name, open)
}
