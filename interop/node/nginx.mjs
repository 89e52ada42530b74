// Debian's nginx, with the configuration of examples/nginx.
import { suite } from './proxied.mjs'

await suite({
  example: 'nginx',
  configuration: 'nginx.conf',
  program: process.env.GRANTOR_NGINX,
  given: ['-p', '.', '-c', 'nginx.conf', '-g', 'daemon off;'],
  asksAt: '/grantor',
  passesNonces: true,
  withoutGrantor: 503,
})
