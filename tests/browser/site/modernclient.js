"use strict";
/* How clients of the modern wire speak: batches by fetch while the page lives, a beacon when it goes. */

class ModernClient {
  constructor(url, { batchSize = 20, wait = 5000 } = {}) {
    Object.assign(this, { url, batchSize, wait });
    this.queue = [];
    this.answers = [];
    addEventListener("pagehide", () => this.leave());
    addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") {
        this.leave();
      }
    });
  }

  /* Queues an event and returns it; a full batch is sent at once, any other after a while. */
  log(stream, schema, fields) {
    const event = { $schema: schema, meta: { stream }, dt: new Date().toISOString(), ...fields };
    this.queue.push(event);
    if (this.queue.length >= this.batchSize) {
      this.flush();
    } else {
      this.timer ??= setTimeout(() => this.flush(), this.wait);
    }
    return event;
  }

  /* Sends the queue and resolves with the answer: its status, and what it lists as failed. */
  flush() {
    const batch = this.take();
    const answer = this.post(batch);
    this.answers.push(answer);
    return answer;
  }

  async post(batch) {
    const answer = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(batch),
      credentials: "omit",
    });
    const text = await answer.text();
    return { status: answer.status, failures: text === "" ? null : JSON.parse(text) };
  }

  /* Hands the queue to the browser, which sends it even if the page is gone by then. */
  leave() {
    this.beacon(this.take());
  }

  /* text/plain needs no preflight. Browsers take 64 KiB of beacons at a time: what is too much is
     tried in halves, and what even so finds no room stays in the queue. */
  beacon(batch) {
    const body = new Blob([JSON.stringify(batch)], { type: "text/plain" });
    if (batch.length === 0 || navigator.sendBeacon(this.url, body)) {
      return;
    }
    if (batch.length === 1) {
      this.queue.push(...batch);
      return;
    }
    const half = batch.length >> 1;
    this.beacon(batch.slice(0, half));
    this.beacon(batch.slice(half));
  }

  take() {
    clearTimeout(this.timer);
    this.timer = undefined;
    return this.queue.splice(0);
  }
}
