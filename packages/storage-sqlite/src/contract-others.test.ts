import {
  describeClosing,
  describeCredentials,
  describeDirectory,
  describeFlow,
  describePolicyMemory,
  describeQueue,
} from '@pennypost/model/contract'
import { openEngine } from '../test/temporary-store.ts'

describeQueue('sqlite', openEngine)
describeDirectory('sqlite', openEngine)
describeCredentials('sqlite', openEngine)
describeFlow('sqlite', openEngine)
describePolicyMemory('sqlite', openEngine)
describeClosing('sqlite', openEngine)
