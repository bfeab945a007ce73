import { describeEquivalence } from '@pennypost/model/contract'
import { createMemoryStore } from '@pennypost/model/memory'
import { openEngine } from '../test/temporary-store.ts'

describeEquivalence('memory and sqlite', async (options) => createMemoryStore(options), openEngine)
