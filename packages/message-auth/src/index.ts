export { type DkimRecord, dkimRecords } from './signing/dkim-records.ts'
export { defaultSelectors, generateKeys, type Selector } from './signing/generate-keys.ts'
export { SigningKeyError } from './signing/key-directory.ts'
export {
  createSigner,
  type MessageToSign,
  NothingToSignError,
  type Signer,
  type SignerOptions,
} from './signing/signer.ts'
