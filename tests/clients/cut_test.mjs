// Answers that break off, for each way in which a worker may do that: no client takes what it got
// for a whole answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { withDaemon } from './daemon.mjs';

const model = 'qwen/qwen3-30b-a3b';
const messages = [{ role: 'user', content: 'Name three rivers.' }];
const limit = { timeout: 60_000 };

// The simulated workers play the fault that a request names; every worker that is tried does so.
const midStream = ['close_mid_stream', 'reset_mid_stream', 'error_mid_stream', 'truncated_json'];
const beforeAnyToken = ['close_before_head', 'garbage', 'error_in_stream', 'status_500'];
// A stream that ends well without a token may be meant so; a body of no bytes cannot be.
const wholeOnly = ['empty_stream'];

let daemon;
let openai;
let anthropic;
let tokens = 0; // of the last answer, before its error

withDaemon((started) => {
  daemon = started;
  openai = new OpenAI({ baseURL: `${daemon.url}/v1`, apiKey: 'unused', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: daemon.url, apiKey: 'unused', maxRetries: 0 });
}, limit);

const withFault = (fault) => ({ headers: { 'x-sim-fault': fault } });

async function openaiStream(fault) {
  const body = { model, messages, max_tokens: 40, stream: true };
  const stream = await openai.chat.completions.create(body, withFault(fault));
  for await (const chunk of stream) tokens += chunk.choices[0]?.delta?.content ? 1 : 0;
}

async function openaiWhole(fault) {
  return openai.chat.completions.create({ model, messages, max_tokens: 40 }, withFault(fault));
}

async function anthropicStream(fault) {
  const body = { model, messages, max_tokens: 40, stream: true };
  const stream = await anthropic.messages.create(body, withFault(fault));
  for await (const event of stream) tokens += event.type === 'content_block_delta' ? 1 : 0;
}

async function anthropicWhole(fault) {
  return anthropic.messages.create({ model, messages, max_tokens: 40 }, withFault(fault));
}

const ways = { openaiStream, openaiWhole, anthropicStream, anthropicWhole };

for (const [way, ask] of Object.entries(ways)) {
  const more = way.endsWith('Whole') ? wholeOnly : [];
  for (const fault of [...midStream, ...beforeAnyToken, ...more]) {
    test(`${way}: ${fault} is an error`, limit, async () => {
      tokens = 0;
      await assert.rejects(ask(fault), (error) => {
        assert.ok(error instanceof Error, `${error}`);
        return true;
      });
      const begun = way.endsWith('Stream') && midStream.includes(fault);
      assert.equal(tokens > 0, begun, `${tokens} tokens came before the error`);
      await daemon.metricBecomes('lmbalancer_inflight_requests', 0);
    });
  }
}

test('the fleet serves on', limit, async () => {
  const until = Date.now() + 30_000;
  let answer;
  while (!answer && Date.now() < until) {
    answer = await openaiWhole('none').catch(() => undefined);
  }
  assert.ok(answer?.choices[0].message.content.length > 0);
});
