// A seller's adapter written with nothing but the contract and the stock Node.js gRPC packages: proves that the engine speaks plain gRPC.
// The system tests run it; what it prints (one JSON object a line) is what they check.
//
//   node client.js submit ADDRESS PREFIX        submit, retry, refusals with their details, an order stream
//   node client.js watch  ADDRESS COUNT         follow all orders until COUNT events came, across breaks, by resume token
//   node client.js once   ADDRESS PREFIX        submit one order
//   node client.js busy   ADDRESS               ask for one watch more than the engine allows
'use strict';

const fs = require('fs');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const PROTO = path.resolve(__dirname, '../../../proto');
const FILES = ['orders', 'tracking', 'errors'].map((name) => `orderengine/v1/${name}.proto`);
const definition = loader.loadSync([...FILES, 'google/rpc/status.proto', 'google/rpc/error_details.proto'], {
  includeDirs: [PROTO], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true,
});
const { OrderService, TrackingService } = grpc.loadPackageDefinition(definition).orderengine.v1;

// In the clear; or over TLS with a key, where the environment names the authority's file and the key.
function credentials() {
  const { ORDERENGINE_CA: authority, ORDERENGINE_CREDENTIAL: key } = process.env;
  if (!authority) return grpc.credentials.createInsecure();
  const show = grpc.credentials.createFromMetadataGenerator((_, done) => {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${key}`);
    done(null, metadata);
  });
  return grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(fs.readFileSync(authority)), show);
}

const say = (object) => process.stdout.write(JSON.stringify(object) + '\n');
const deadline = () => ({ deadline: Date.now() + 30_000 });
const decode = (type, bytes) => definition[type].deserialize(bytes);

// google.rpc.Status with the details this client knows, as plain objects.
function describe(status) {
  const out = { code: status.code, message: status.message, fields: [], shortages: [] };
  for (const any of status.details) {
    const type = any.type_url.split('/').pop();
    if (type === 'google.rpc.ErrorInfo') {
      const info = decode(type, any.value);
      Object.assign(out, { reason: info.reason, domain: info.domain });
    } else if (type === 'google.rpc.BadRequest') {
      out.fields = decode(type, any.value).field_violations.map((v) => v.field);
    } else if (type === 'google.rpc.RetryInfo') {
      const delay = decode(type, any.value).retry_delay;
      out.retryDelayMs = Number(delay.seconds) * 1000 + delay.nanos / 1e6;
    } else if (type === 'orderengine.v1.StockShortage') {
      const s = decode(type, any.value);
      out.shortages.push({ sku: s.sku_id, requested: Number(s.requested), available: Number(s.available), missing: Number(s.missing), lines: s.line_numbers });
    }
  }
  return out;
}

// The status of a failed call: the trailer where there is one.
function describeError(error) {
  const bytes = error.metadata && error.metadata.get('grpc-status-details-bin')[0];
  const status = bytes ? decode('google.rpc.Status', bytes) : { code: error.code, message: error.details, details: [] };
  return { ...describe(status), grpcCode: error.code };
}

function call(client, method, request) {
  return new Promise((resolve) => client[method](request, deadline(), (error, answer) =>
    resolve(error ? { refused: describeError(error) } : { accepted: answer })));
}

const draft = (externalId, lines) => ({
  channel_id: 'WEB', external_order_id: externalId, currency_code: 'GBP', allocation_policy: 'ALLOCATION_POLICY_ALL_OR_NOTHING',
  lines: lines.map(([sku, quantity]) => ({ sku_id: sku, quantity, unit_price_minor: '250' })),
});
const summary = ({ accepted: a, refused }) => (a
  ? { orderId: a.order_id, sequence: Number(a.sequence), state: a.state, replayed: a.replayed } : { refused });

async function submit(address, prefix) {
  const client = new OrderService(address, credentials());
  const request = { request_id: `${prefix}-1`, order: draft(`${prefix}-1`, [['TEA', 2], ['CUP', 1]]) };
  say({ step: 'accepted', ...summary(await call(client, 'SubmitOrder', request)) });
  say({ step: 'retried', ...summary(await call(client, 'SubmitOrder', request)) });
  const short = { request_id: `${prefix}-2`, order: draft(`${prefix}-2`, [['CUP', 900000], ['CUP', 900000]]) };
  say({ step: 'shortage', ...summary(await call(client, 'SubmitOrder', short)) });
  const malformed = { request_id: `${prefix}-3`, order: draft(`${prefix}-3`, [['TEA', 0]]) };
  say({ step: 'malformed', ...summary(await call(client, 'SubmitOrder', malformed)) });
  const reused = { ...request, order: draft(`${prefix}-1`, [['TEA', 3]]) };
  say({ step: 'reused', ...summary(await call(client, 'SubmitOrder', reused)) });
  say({ step: 'stream', results: await stream(client, prefix) });
  client.close();
}

async function once(address, prefix) {
  const client = new OrderService(address, credentials());
  say({ step: 'accepted', ...summary(await call(client, 'SubmitOrder', { request_id: `${prefix}-1`, order: draft(`${prefix}-1`, [['TEA', 2], ['CUP', 1]]) })) });
  client.close();
}

// Two orders in one message, one of them refused, then a third in a message of its own.
function stream(client, prefix) {
  const order = (seq, lines) => ({ client_seq: seq, request: { request_id: `${prefix}-s${seq}`, order: draft(`${prefix}-s${seq}`, lines) } });
  return new Promise((resolve, reject) => {
    const results = [];
    const both = client.StreamSubmitOrders(deadline());
    both.on('data', (message) => message.results.forEach((r) => results.push({
      seq: Number(r.client_seq), ...(r.result === 'accepted' ? { state: r.accepted.state } : { refused: describe(r.refused) }) })));
    both.on('end', () => resolve(results));
    both.on('error', reject);
    both.write({ orders: [order(1, [['TEA', 1]]), order(2, [['CUP', 1000000]])] });
    both.write({ orders: [order(3, [['TEA', 1]])] });
    both.end();
  });
}

// Follows from now on; after a break it dials again and goes on from the last token.
async function watch(address, count) {
  const client = new TrackingService(address, credentials(), { 'grpc.max_reconnect_backoff_ms': 200, 'grpc.initial_reconnect_backoff_ms': 50 });
  let token = '';
  let seen = 0;
  while (seen < count) {
    const broken = await new Promise((resolve) => {
      const stream = client.WatchOrders({ resume_token: token, filter: { channel_ids: ['WEB'] } });
      stream.on('metadata', () => say({ step: 'open' }));
      stream.on('data', (message) => {
        for (const event of message.events ? message.events.events : []) {
          seen++;
          say({ step: 'event', sequence: Number(event.sequence), externalId: event.external_order_id, state: event.state_after });
        }
        token = message.resume_token;
        if (seen >= count) {
          stream.cancel();
          resolve(null);
        }
      });
      stream.on('error', (error) => resolve(error));
      stream.on('end', () => resolve({ code: 'END' }));
    });
    if (broken)
      say({ step: 'break', ...(broken.metadata ? describeError(broken) : broken) });
    if (broken && broken.code !== grpc.status.UNAVAILABLE && broken.code !== 'END')
      process.exit(1);
    if (broken)
      await new Promise((resolve) => client.waitForReady(Date.now() + 30_000, resolve));
  }
  client.close();
}

// Beyond the limit: refused at once, with the delay after which to come again.
function busy(address) {
  const client = new TrackingService(address, credentials());
  return new Promise((resolve) => {
    const stream = client.WatchOrders({}, deadline());
    stream.on('data', () => {});
    stream.on('error', (error) => {
      say({ step: 'busy', refused: describeError(error) });
      client.close();
      resolve();
    });
  });
}

const [mode, address, argument] = process.argv.slice(2);
const modes = { submit: () => submit(address, argument), once: () => once(address, argument), watch: () => watch(address, Number(argument)), busy: () => busy(address) };
modes[mode]().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
