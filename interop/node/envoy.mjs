// Envoy, with the configuration of examples/envoy.
import { suite } from './proxied.mjs'

await suite({
  example: 'envoy',
  configuration: 'envoy.yaml',
  program: process.env.GRANTOR_ENVOY,
  // One process of it knows nothing of others on the machine.
  given: ['-c', 'envoy.yaml', '--use-dynamic-base-id', '--concurrency', '1', '--disable-hot-restart'],
  passesNonces: true,
  normalizes: true,
  refusesNoUri: true,
  withoutGrantor: 503,
})
