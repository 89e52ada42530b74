// Debian's Caddy, with the configuration of examples/caddy.
import { suite } from './proxied.mjs'

await suite({
  example: 'caddy',
  configuration: 'Caddyfile',
  program: process.env.GRANTOR_CADDY,
  given: ['run', '--config', 'Caddyfile'],
  passesNonces: false,
  withoutGrantor: 502,
})
