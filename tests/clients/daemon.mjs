// The daemon under test: `lmbalancer demo` on a port that the kernel chooses, and its metrics.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const startDeadline = 30_000;
const stopDeadline = 40_000; // above shutdown_grace, 30 s
const ready = /listening on (http:\/\/[^ ]+)/;

// A promise that fails after `milliseconds`, and what it was waiting for.
function withDeadline(promise, milliseconds, what) {
  let timer;
  const late = new Promise((_, reject) => {
    const fail = () => reject(new Error(`no ${what} within ${milliseconds} ms`));
    timer = setTimeout(fail, milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Starts the daemon and resolves once it listens.
export async function startDaemon(binary) {
  // Real speed: an answer lasts seconds, so that a test can leave in the middle of one.
  const options = ['demo', '--port', '0', '--speed', '1', '--no-sample'];
  const process = spawn(binary, options, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  process.stderr.on('data', (bytes) => output.push(bytes));
  const exited = once(process, 'exit').then(([code, signal]) => ({ code, signal }));
  const said = () => Buffer.concat(output).toString();

  const listening = new Promise((resolve, reject) => {
    process.on('error', reject);
    exited.then((end) => {
      reject(new Error(`ended before it listened: ${JSON.stringify(end)}\n${said()}`));
    });
    createInterface({ input: process.stdout }).on('line', (line) => {
      output.push(Buffer.from(`${line}\n`));
      const found = ready.exec(line);
      if (found) resolve(found[1]);
    });
  });
  try {
    const url = await withDeadline(listening, startDeadline, `line matching ${ready}`);
    return new Daemon(process, exited, said, url.replace(/\/$/, ''));
  } catch (error) {
    process.kill('SIGKILL');
    throw error;
  }
}

class Daemon {
  constructor(process, exited, said, url) {
    this.process = process;
    this.exited = exited;
    this.said = said; // what it has printed so far
    this.url = url;
  }

  // Ends it as systemd does. Resolves with {code, signal}.
  async stop() {
    this.process.kill('SIGTERM');
    try {
      return await withDeadline(this.exited, stopDeadline, 'end after SIGTERM');
    } finally {
      this.process.kill('SIGKILL'); // does nothing to one that ended
    }
  }

  // The sum of a metric over all its series; fails when there is no such metric.
  async metric(name) {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const series = text.split('\n').filter((line) => /^[\w:]+/.exec(line)?.[0] === name);
    if (series.length === 0) throw new Error(`/metrics has no ${name}`);
    return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  // Polls until the metric has the value; fails after the deadline.
  async metricBecomes(name, value, milliseconds = 10_000) {
    const until = Date.now() + milliseconds;
    let last;
    do {
      last = await this.metric(name);
      if (last === value) return;
      await delay(20);
    } while (Date.now() < until);
    throw new Error(`${name} is ${last}, not ${value}, after ${milliseconds} ms`);
  }
}

// One daemon for all tests of a file; `use` is given it when it listens.
export function withDaemon(use, limit) {
  let daemon;
  before(async () => {
    daemon = await startDaemon(process.env.LMBALANCER_BINARY);
    use(daemon);
  }, limit);
  after(async () => {
    if (!daemon) return;
    const end = await daemon.stop();
    assert.deepEqual(end, { code: 0, signal: null }, `after SIGTERM; it said:\n${daemon.said()}`);
  }, limit);
}
