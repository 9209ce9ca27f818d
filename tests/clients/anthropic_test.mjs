// The official Anthropic client for JavaScript against a running balancer.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';

import { withDaemon } from './daemon.mjs';

const model = 'qwen/qwen3-30b-a3b';
const messages = [{ role: 'user', content: 'Name three rivers.' }];
const limit = { timeout: 60_000 };

let daemon;
let client;

withDaemon((started) => {
  daemon = started;
  client = new Anthropic({ baseURL: daemon.url, apiKey: 'unused', maxRetries: 0 });
}, limit);

test('answers a message', limit, async () => {
  const answer = await client.messages.create({ model, messages, max_tokens: 30 });
  assert.equal(answer.type, 'message');
  assert.ok(answer.content[0].text.length > 0);
  assert.ok(answer.usage.output_tokens > 0 && answer.usage.output_tokens <= 30);
});

test('streams a message event by event', limit, async () => {
  const stream = client.messages.stream({ model, messages, max_tokens: 40 });
  let texts = 0;
  stream.on('text', () => texts++);
  const answer = await stream.finalMessage();
  assert.ok(texts > 1, `${texts} pieces of text`);
  assert.ok(['max_tokens', 'end_turn'].includes(answer.stop_reason), answer.stop_reason);
});

test('an unknown model is a NotFoundError in the Anthropic form', limit, async () => {
  await assert.rejects(
    client.messages.create({ model: 'nobody-has-it', messages, max_tokens: 5 }),
    (error) => {
      assert.ok(error instanceof Anthropic.NotFoundError, `${error.constructor.name}`);
      assert.equal(error.status, 404);
      assert.equal(error.error.error.type, 'not_found_error');
      return true;
    },
  );
});
