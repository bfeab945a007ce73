/** The public surface of `@pennypost/message`. */
export {
  type Address,
  mailboxesOf,
  parseAddressList,
  quoteLocalPart,
} from './address.ts'
export { decodeCharset, knowsCharset } from './charset.ts'
export { formatDate } from './date.ts'
export { downgradeHeader } from './downgrade.ts'
export { downgradeEnvelope, downgradeStructure } from './downgrade-stored.ts'
export { buildDsn, type Dsn, type DsnRecipient, type DsnReport } from './dsn.ts'
export { addressesOf } from './envelope.ts'
export { foldField, formatMailbox } from './field-writer.ts'
export { type Field, fieldsOf, fieldValue, type HeaderSection, parseHeader, valuesOf } from './fields.ts'
export { foldText } from './fold.ts'
export { FieldChoice, renderHeader, strikesOf } from './header-edit.ts'
export { createMboxReader, createMboxWriter, type MboxWriter, mboxEnvelopeLine } from './mbox.ts'
export { messageIdOf } from './message-id.ts'
export type { ScannedMessage } from './message-index.ts'
export { decodeModifiedUtf7, encodeModifiedUtf7, readModifiedUtf7 } from './modified-utf7.ts'
export { decodedStructure, partStructure } from './part-structure.ts'
export { allParts, type PartInfo, partAt, type Range } from './parts.ts'
export { readDeliveryStatus } from './read-delivery-status.ts'
export { createScanner, type Scanner, scan } from './scanner.ts'
export { searchText } from './search-text.ts'
export { longestLine, shortLines } from './short-lines.ts'
export { structureFor } from './structure.ts'
export { toSevenBit } from './to-seven-bit.ts'
export { createTransferDecoder, isEncoded } from './transfer-decoder.ts'
export { decodeTransfer, encodeBase64, encodeQuotedPrintable, type TransferEncoding } from './transfer-encoding.ts'
export { withoutBinary } from './without-binary.ts'
