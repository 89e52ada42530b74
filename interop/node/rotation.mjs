// Signing keys are rotated while resource servers that nobody here wrote (npm jose, each with a cache of keys of its own)
// verify thousands of tokens a second: none is refused.
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { assert, check, finish } from './common.mjs'
import { clockIsOff, grantor, issuer, logIsClean, serve, trusting } from './served.mjs'

const ROTATIONS = 4
/** Longer than a key is published before it signs. */
const LATER = 900
const RESOURCE_SERVERS = 5
const secret = 'a secret of this suite, 32 letters'
clockIsOff(0)
await serve({
  apis: [
    {
      audience: 'https://bank.example/',
      name: 'Bank',
      scopes: [{ name: 'accounts' }],
      token: { format: 'jwt', algorithm: 'ES256', lifetime: 86400 },
      ceilings: [{ client_id: 'machine', scope: 'accounts' }],
    },
  ],
  clients: [{ client_id: 'machine', grant_types: ['client_credentials'], client_secret: secret }],
})
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const basic = `Basic ${Buffer.from(`machine:${encodeURIComponent(secret)}`).toString('base64')}`

async function token() {
  const response = await trusting(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: basic },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'accounts' }),
  })
  const answer = await response.json()
  if (!answer.access_token) throw new Error(`${response.status} ${answer.error}`)
  return answer.access_token
}
const kid = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid

const resourceServers = Array.from({ length: RESOURCE_SERVERS }, () =>
  createRemoteJWKSet(new URL(`${issuer}/jwks`), {
    cooldownDuration: 1000,
    [customFetch]: (url, options) => trusting(url.toString(), options),
  }),
)
let newest = await token()
const tokens = [newest]
const kids = new Set([kid(newest)])
const count = { verified: 0, failed: [] }
let over = false

async function verify(keys) {
  while (!over) {
    // Every other one is the newest, the others are of any age.
    const chosen = Math.random() < 0.5 ? newest : tokens[Math.floor(Math.random() * tokens.length)]
    try {
      await jwtVerify(chosen, keys, { issuer, audience: 'https://bank.example/' })
      count.verified += 1
    } catch (error) {
      count.failed.push(error.code ?? error.message)
    }
    if (count.verified % 50 === 0) await sleep(1)
  }
}
async function issue() {
  while (!over) {
    newest = await token()
    kids.add(kid(newest))
    tokens.push(newest)
    if (tokens.length > 500) tokens.shift()
    await sleep(5)
  }
}
const begun = Date.now()
const working = [...resourceServers.map(verify), issue()]
for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
  await check(`rotation ${rotation}: another key signs, nobody refuses a token`, async () => {
    const before = kid(newest)
    grantor('key', 'rotate')
    await sleep(800)
    clockIsOff(rotation * LATER)
    for (let tries = 0; tries < 100 && kid(newest) === before; tries += 1) await sleep(50)
    assert.notEqual(kid(newest), before)
    await sleep(800)
    assert.deepEqual(count.failed.slice(0, 3), [])
  })
}
over = true
await check('no verification failed, and there were more than a thousand', async () => {
  await Promise.all(working)
  const rate = Math.round((count.verified * 1000) / (Date.now() - begun))
  console.log(`${count.verified} verifications, ${rate} a second, ${kids.size} keys`)
  assert.deepEqual(count.failed, [])
  assert.ok(kids.size > ROTATIONS && count.verified > 1000)
})
await check('no secret in the log', async () => logIsClean())
finish()
process.exit()
