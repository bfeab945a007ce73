/** What mail programs are told over HTTPS: apart, since who serves it needs no administration. */
export { appleProfile } from './apple-profile.ts'
export { autoconfigDocument } from './autoconfig.ts'
export {
  type AutodiscoverError,
  autodiscoverDocument,
  autodiscoverErrorDocument,
  readAutodiscover,
} from './autodiscover.ts'
export {
  type ClientService,
  type ClientSettings,
  isTypedAddress,
  loginDomain,
  type OfferedService,
} from './settings.ts'
