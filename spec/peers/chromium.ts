/** The WebSocket of a page in Chromium. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Abilities } from './conversation.js';
import { Lines, type Peer, SCRIPTS } from './peer.js';
import { type Row, tryClient } from './row.js';

const html = `<!doctype html><title>peer</title><script type="module">
import { openInPage } from './page-peer.mjs';
globalThis.openPeer = (url) => openInPage(url, { WebSocket, say });
say('ready');
</script>`;

/** A page that opens connections. */
class PagePeer implements Peer {
  readonly lines: Lines = new Lines();
  readonly #browser: Browser;
  readonly #site: Server;
  readonly #page: Page;

  private constructor(browser: Browser, site: Server, page: Page) {
    this.#browser = browser;
    this.#site = site;
    this.#page = page;
  }

  static async start(): Promise<PagePeer> {
    const site = createServer((request, response) => {
      const isScript = request.url === '/page-peer.mjs';
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? readFileSync(join(SCRIPTS, 'page-peer.mjs')) : html);
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args });
    const peer = new PagePeer(browser, site, await browser.newPage());
    peer.lines.push(`version ${browser.version()}`);
    await peer.#page.exposeFunction('say', (line: string) => peer.lines.push(line));
    await peer.#page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    await peer.lines.take('ready');
    return peer;
  }

  connect(url: string): void {
    this.#page.evaluate(`openPeer(${JSON.stringify(url)})`).catch((error) => this.lines.end(String(error)));
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    this.#site.close();
  }
}

export function chromiumRow(can: Abilities): Row {
  return {
    peer: 'Chromium',
    role: 'client',
    async run() {
      const peer = await PagePeer.start();
      try {
        return await tryClient(peer, can);
      } finally {
        await peer.stop();
      }
    },
  };
}
