// Traefik, with the configuration of examples/traefik. No distribution and no registry of ours has it as a program, so the
// check does not run this: GRANTOR_TRAEFIK and GRANTOR_BINARY say where the programs are.
import { suite } from './proxied.mjs'

await suite({
  example: 'traefik',
  configuration: 'dynamic.yaml',
  program: process.env.GRANTOR_TRAEFIK,
  given: (port) => [`--entrypoints.web.address=127.0.0.1:${port}`, '--providers.file.filename=dynamic.yaml'],
  passesNonces: false,
  normalizes: true,
  withoutGrantor: 500,
})
