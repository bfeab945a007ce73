/** The search thread of tests that need no MIME. */
import { systemClock } from '@pennypost/model'
import { asciiSearchText } from '@pennypost/model/memory'
import { serveSearch } from '../src/search/serve-search.ts'

serveSearch(asciiSearchText, systemClock)
