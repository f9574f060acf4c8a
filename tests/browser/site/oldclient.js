"use strict";
/* How clients of the old EventLogging speak, generation by generation, written anew for these tests.
   What each of them does is told by the history of such clients; see docs/legacy.md. */

const CAPSULE_2013 = ["event", "revision", "schema", "webHost", "wiki"];
const CAPSULE_2020 = ["event", "schema", "webHost", "wiki", "revision"];
const CAPSULE_APP = ["schema", "revision", "wiki", "event"];

const GENERATIONS = {
  "mediawiki-2013": { path: "/event.gif", order: CAPSULE_2013, end: ";", beacon: false },
  "mediawiki-2015": { path: "/beacon/event", order: CAPSULE_2013, end: ";", beacon: true, maxUrlSize: 2000 },
  "mediawiki-2020": { path: "/beacon/event", order: CAPSULE_2020, end: ";", beacon: true, maxUrlSize: 2000 },
  portal: { path: "/event.gif", order: CAPSULE_2013, end: "", beacon: false, blanks: true },
  app: { path: "/beacon/event", order: CAPSULE_APP, end: "", beacon: true },
};

class OldClient {
  /* `revisions` are of the schemas that the page knows; of any other one says -1. */
  constructor(base, generation, { wiki, webHost = location.hostname, revisions = {} }) {
    Object.assign(this, { maxUrlSize: Infinity }, GENERATIONS[generation]);
    this.base = base + this.path;
    this.about = { wiki, webHost };
    this.revisions = revisions;
    this.errors = { urlSize: 0 };
  }

  capsule(schema, event) {
    const all = { event, schema, revision: this.revisions[schema] ?? -1, ...this.about };
    return Object.fromEntries(this.order.map((name) => [name, all[name]]));
  }

  url(capsule) {
    const json = this.blanks ? JSON.stringify(capsule, null, " ") : JSON.stringify(capsule);
    return `${this.base}?${encodeURIComponent(json)}${this.end}`;
  }

  /* Resolves with what was sent and how, rejects if it was not; nobody ever learns what became of it. */
  async log(schema, event) {
    const capsule = this.capsule(schema, event);
    const url = this.url(capsule);
    if (url.length > this.maxUrlSize) {
      this.errors.urlSize += 1;
      throw new Error("urlSize");
    }
    return { capsule, url, by: this.send(url) };
  }

  send(url) {
    if (this.beacon && navigator.sendBeacon) {
      try {
        if (navigator.sendBeacon(url)) {
          return "beacon";
        }
      } catch {
        // Some blockers leave a function that throws (T86680); the image may pass.
      }
    }
    this.image = document.createElement("img");
    this.image.src = url;
    return "image";
  }
}
