export { type ChallengeBoard, openChallengeListener, writeChallengeFiles } from './challenges.ts'
export { type CertificatePaths, certificatePaths } from './files.ts'
export { type CertificateKeeper, type CertificateKeeperOptions, createCertificateKeeper } from './keeper.ts'
export { createOrder, type OrderCertificate, type OrderOptions, type Unproved } from './order.ts'
