// The official OpenAI client for JavaScript against a running balancer: a user changes the base URL
// and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import OpenAI from 'openai';

import { withDaemon } from './daemon.mjs';

const chatModel = 'qwen/qwen3-30b-a3b';
const embeddingModel = 'text-embedding-nomic-embed-text-v1.5';
const messages = [{ role: 'user', content: 'Name three rivers.' }];
const limit = { timeout: 60_000 };

let daemon;
let client;

withDaemon((started) => {
  daemon = started;
  client = new OpenAI({ baseURL: `${daemon.url}/v1`, apiKey: 'unused', maxRetries: 0 });
}, limit);

test('lists the models of the fleet', limit, async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes(chatModel), `${chatModel} in ${ids}`);
  assert.ok(ids.includes(embeddingModel), `${embeddingModel} in ${ids}`);
  assert.equal(new Set(ids).size, ids.length, 'each model once, though each worker has it');
});

test('answers a chat request', limit, async () => {
  const request = client.chat.completions.create({ model: chatModel, messages, max_tokens: 40 });
  const { data, response } = await request.withResponse();
  assert.equal(data.object, 'chat.completion');
  assert.ok(data.choices[0].message.content.length > 0);
  assert.ok(data.usage.completion_tokens > 0);
  assert.ok(data.usage.completion_tokens <= 40);
  assert.ok(response.headers.get('x-lmb-worker'), 'the header tells which worker answered');
  assert.ok(response.headers.get('x-request-id'));
});

test('streams a chat answer token by token, with usage', limit, async () => {
  const stream = await client.chat.completions.create({
    model: chatModel,
    messages,
    max_tokens: 60,
    stream: true,
    stream_options: { include_usage: true },
  });
  const tokens = [];
  let usage;
  let finishReason;
  for await (const chunk of stream) {
    const choice = chunk.choices[0];
    if (choice?.delta?.content) tokens.push(choice.delta.content);
    finishReason = choice?.finish_reason ?? finishReason;
    usage = chunk.usage ?? usage;
  }
  assert.ok(tokens.length > 5, `more than one piece: ${tokens.length}`);
  assert.ok(tokens.join('').length > 0);
  assert.ok(['stop', 'length'].includes(finishReason), `finish_reason ${finishReason}`);
  assert.ok(usage?.completion_tokens >= tokens.length, `usage ${JSON.stringify(usage)}`);
});

test('computes embeddings', limit, async () => {
  // LM Studio answers floats whatever is asked for; the client asks for base64 unless told.
  const answer = await client.embeddings.create({
    model: embeddingModel,
    input: ['one', 'two'],
    encoding_format: 'float',
  });
  assert.equal(answer.data.length, 2);
  assert.ok(answer.data[0].embedding.length > 0);
  assert.ok(answer.data[0].embedding.every(Number.isFinite));
  assert.notDeepEqual(answer.data[0].embedding, answer.data[1].embedding);
});

// Leaves a stream after its first token. True when the daemon had it in flight and saw us leave: an
// answer that is over before this process gets its turn, on a busy machine, proves nothing.
async function leavesAnswer() {
  const disconnects = await daemon.metric('lmbalancer_client_disconnects_total');
  const stream = await client.chat.completions.create({ model: chatModel, messages, stream: true });
  let inFlight = 0;
  for await (const chunk of stream) {
    if (!chunk.choices[0]?.delta?.content) continue;
    inFlight = await daemon.metric('lmbalancer_inflight_requests');
    break; // leaving the loop aborts the request
  }
  await daemon.metricBecomes('lmbalancer_inflight_requests', 0);
  const noticed = (await daemon.metric('lmbalancer_client_disconnects_total')) - disconnects;
  return inFlight === 1 && noticed === 1;
}

test('frees the slot when the client leaves in the middle of a stream', limit, async () => {
  await daemon.metricBecomes('lmbalancer_inflight_requests', 0);
  for (let attempt = 1; !(await leavesAnswer()); attempt += 1) {
    assert.ok(attempt < 5, 'in none of 5 streams the daemon saw the client leave');
  }
});

test('serves twelve requests at once on three workers', limit, async () => {
  const workers = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const body = { model: chatModel, messages, max_tokens: 20 };
      const request = client.chat.completions.create(body);
      return (await request.withResponse()).response.headers.get('x-lmb-worker');
    }),
  );
  assert.equal(new Set(workers).size, 3, `all three workers had some: ${workers}`);
});

test('an unknown model is a NotFoundError in the OpenAI form', limit, async () => {
  const request = client.chat.completions.create({ model: 'no-such-model', messages });
  await assert.rejects(request, (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError, `${error}`);
    assert.equal(error.status, 404);
    assert.equal(error.code, 'model_not_found');
    assert.ok(error.requestID, 'x-request-id reaches the error');
    return true;
  });
});

test('a body that is no JSON is a 400 in the OpenAI form', limit, async () => {
  const answer = await fetch(`${daemon.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"model": "qwen',
  });
  assert.equal(answer.status, 400);
  const { error } = await answer.json();
  assert.equal(typeof error.message, 'string');
  assert.equal(error.type, 'invalid_request_error');
});

test('an unknown path is a 404, as no worker would say it', limit, async () => {
  const answer = await fetch(`${daemon.url}/v1/nothing-here`);
  assert.equal(answer.status, 404);
  assert.ok((await answer.json()).error.message.length > 0);
});
