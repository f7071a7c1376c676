// What a page does with its WebSocket: the same in a browser, in undici and in Node. Its source is also run within Chromium.

/** Opens a connection that answers commands, and echoes all else. */
export function openInPage(url, { WebSocket, say }) {
  const ws = new WebSocket(url, ['chat.v1', 'chat.v2']);
  ws.binaryType = 'arraybuffer';
  ws.onopen = () => say(`open ${ws.protocol}`);
  ws.onerror = () => say('failed by an error event');
  ws.onclose = ({ code, reason }) => say(`closed ${code} ${reason}`);
  ws.onmessage = ({ data }) => {
    const [word, code, ...reason] = typeof data === 'string' ? data.split(' ') : [];
    if (word === '!close') ws.close(Number(code), reason.join(' '));
    else ws.send(data);
  };
}
