import { describeAnnotations, describeSharing } from '@pennypost/model/contract'
import { openEngine } from '../test/temporary-store.ts'

describeSharing('sqlite', openEngine)
describeAnnotations('sqlite', openEngine)
