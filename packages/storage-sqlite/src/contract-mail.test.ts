import { describeMailStore } from '@pennypost/model/contract'
import { openEngine } from '../test/temporary-store.ts'

describeMailStore('sqlite', openEngine)
