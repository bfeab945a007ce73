/** The code of the search thread (`workers.ts`): the engine looks into text by what `@pennypost/message` knows of MIME. */
import { searchText } from '@pennypost/message'
import { systemClock } from '@pennypost/model'
import { serveSearch } from '@pennypost/storage-sqlite/search'

serveSearch(searchText, systemClock)
